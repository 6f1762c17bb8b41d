"""What a night costs: a first run on a long history, then one more dump of about one percent, each in a fresh process.

Twice: landing, resolving and publishing alone, and the whole Dagster job with its history in SQLite. Process start-up
and imports are left out. Here: turns and the table. Not here: the runs (heap_runs.py, dagster_runs.py).
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from heap_assets_tests.benchmarks.exports import Export, deliver
from heap_assets_tests.benchmarks.figures import Figure, Spread, Target
from heap_assets_tests.benchmarks.fresh_process import Measured, run_fresh

SHARE = 0.01
_TARGET_PERCENT = 10.0
_WAYS = ("land, resolve, publish", "Dagster job")
_Runs = dict[str, list[tuple[Measured, Measured]]]


def measure_nightly(
    history: Export, night: Export, *, repeats: int, workspace: Path, say: Callable[[str], None]
) -> Figure:
    """Return first and second run, both ways."""
    runs: _Runs = {way: [] for way in _WAYS}
    for turn in range(repeats):
        for way in _WAYS:
            say(f"nightly, {way}, {turn + 1} of {repeats}")
            place = workspace / "nightly"
            (place / "dagster").mkdir(parents=True)
            (place / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
            deliver(history, place / "export")
            first = _run(way, place, workspace)
            deliver(night, place / "export")
            runs[way].append((first, _run(way, place, workspace)))
            shutil.rmtree(place)
    return _figure(history, night, runs)


def _run(way: str, place: Path, workspace: Path) -> Measured:
    export, home = str(place / "export"), str(place / "home")
    if way == _WAYS[0]:
        arguments = {"export": export, "home": home}
        return run_fresh("heap_runs:land_resolve_publish", arguments, workspace=workspace)
    environment = {"HEAP_EXPORT_URI": export, "HEAP_HOME": home, "DAGSTER_HOME": str(place / "dagster")}
    return run_fresh("dagster_runs:run_job", {}, workspace=workspace, environment=environment)


def _figure(history: Export, night: Export, runs: _Runs) -> Figure:
    rows, data, targets = [], {}, []
    for way, measured in runs.items():
        first = Spread.of([before.seconds for before, _ in measured])
        second = Spread.of([after.seconds for _, after in measured])
        percent = 100 * second.median / first.median
        rows.append((way, first.told(".2f"), second.told(".2f"), f"{percent:.1f} %"))
        what = f"second run over first, {way}"
        targets.append(Target(what=what, value=percent, limit=_TARGET_PERCENT, at_least=False, unit=" %"))
        data[way] = {
            "first_seconds": first.as_json(),
            "second_seconds": second.as_json(),
            "second_over_first": percent / 100,
            "first_rows": measured[0][0].values["rows"],
            "second_rows": measured[0][1].values["rows"],
        }
    steps = {name: _steps(runs[_WAYS[0]], place) for place, name in enumerate(("first", "second"))}
    for name, spreads in steps.items():
        told = ", ".join(f"{step} {spread.median:.2f} s" for step, spread in spreads.items())
        rows.append((f"  {name} run: {told}", "", "", ""))
    share = night.events / history.events
    return Figure(
        title=f"A night: {history.events:,} events in {history.dumps} dumps, then {night.events:,} ({share:.2%})",
        columns=("", "first run s", "second run s", "second/first"),
        rows=rows,
        targets=targets,
        data={
            "history_events": history.events,
            "night_events": night.events,
            "share": share,
            "ways": data,
            "steps": {
                name: {step: spread.as_json() for step, spread in spreads.items()} for name, spreads in steps.items()
            },
        },
    )


def _steps(measured: list[tuple[Measured, Measured]], place: int) -> Mapping[str, Spread]:
    """Return what each step of the first (0) or second (1) runs took."""
    steps: list[dict[str, Any]] = [pair[place].values["steps"] for pair in measured]
    return {name: Spread.of([step[name]["seconds"] for step in steps]) for name in steps[0]}
