"""What a night costs: a first run on a long history, then one more dump of about one percent, each in a fresh process.

Twice: landing, resolving and publishing alone, and the whole Dagster job with its history in SQLite. Process start-up
and imports are left out. Here: turns and the table. Not here: the runs (heap_runs.py, dagster_runs.py).
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from heap_assets_tests.benchmarks.exports import Export, deliver
from heap_assets_tests.benchmarks.figures import Figure, Spread, Target, disturbance
from heap_assets_tests.benchmarks.fresh_process import Measured, run_fresh

SHARE = 0.01
_TARGET_PERCENT = 10.0
_WAYS = ("land, resolve, publish", "Dagster job")
_RUNS = ("first", "second")
_Pairs = Sequence[tuple[Measured, Measured]]


def measure_nightly(
    history: Export, night: Export, *, repeats: int, workspace: Path, say: Callable[[str], None]
) -> Figure:
    """Return first and second run, both ways."""
    pairs: dict[str, list[tuple[Measured, Measured]]] = {way: [] for way in _WAYS}
    for turn in range(repeats):
        for way in _WAYS:
            say(f"nightly, {way}, {turn + 1} of {repeats}")
            place = workspace / "nightly"
            (place / "dagster").mkdir(parents=True)
            (place / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
            deliver(history, place / "export")
            first = _run(way, place, workspace)
            deliver(night, place / "export")
            pairs[way].append((first, _run(way, place, workspace)))
            shutil.rmtree(place)
    return _figure(history, night, pairs)


def _run(way: str, place: Path, workspace: Path) -> Measured:
    export, home = str(place / "export"), str(place / "home")
    if way == _WAYS[0]:
        arguments = {"export": export, "home": home}
        return run_fresh("heap_runs:land_resolve_publish", arguments, workspace=workspace)
    environment = {"HEAP_EXPORT_URI": export, "HEAP_HOME": home, "DAGSTER_HOME": str(place / "dagster")}
    return run_fresh("dagster_runs:run_job", {}, workspace=workspace, environment=environment)


def _figure(history: Export, night: Export, pairs: dict[str, list[tuple[Measured, Measured]]]) -> Figure:
    rows, targets = [], []
    for way, measured in pairs.items():
        percent = 100 * _ratio(measured)
        first, second = (_seconds(measured, run) for run in _RUNS)
        rows.append((way, first.told(".2f"), second.told(".2f"), f"{percent:.1f} %"))
        what = f"second run over first, {way}"
        targets.append(Target(what=what, value=percent, limit=_TARGET_PERCENT, at_least=False, unit=" %"))
    steps = {run: _steps(pairs[_WAYS[0]], run) for run in _RUNS}
    for step, first in steps["first"].items():
        second = steps["second"][step]
        rows.append((f"  {step}", first.told(".2f"), second.told(".2f"), f"{100 * second.median / first.median:.1f} %"))
    share = night.events / history.events
    return Figure(
        title=f"A night: {history.events:,} events in {history.dumps} dumps, then {night.events:,} ({share:.2%})",
        columns=("", "first run s", "second run s", "second/first"),
        rows=rows,
        notes=disturbance([run.others_cores for measured in pairs.values() for pair in measured for run in pair]),
        targets=targets,
        data={
            "history_events": history.events,
            "night_events": night.events,
            "share": share,
            "ways": {way: _described(measured) for way, measured in pairs.items()},
            "steps": {
                run: {step: spread.as_json() for step, spread in spreads.items()} for run, spreads in steps.items()
            },
        },
    )


def _described(measured: _Pairs) -> dict[str, Any]:
    described: dict[str, Any] = {"second_over_first": _ratio(measured)}
    for place, run in enumerate(_RUNS):
        described[f"{run}_seconds"] = _seconds(measured, run).as_json()
        described[f"{run}_cpu_seconds"] = Spread.of([pair[place].cpu_seconds for pair in measured]).as_json()
        described[f"{run}_rows"] = measured[0][place].values["rows"]
        described[f"{run}_others_cores"] = Spread.of([pair[place].others_cores for pair in measured]).as_json()
    return described


def _ratio(measured: _Pairs) -> float:
    return _seconds(measured, "second").median / _seconds(measured, "first").median


def _seconds(measured: _Pairs, run: str) -> Spread:
    return Spread.of([pair[_RUNS.index(run)].seconds for pair in measured])


def _steps(measured: _Pairs, run: str) -> dict[str, Spread]:
    """Return what each step of the first or second runs took."""
    steps = [pair[_RUNS.index(run)].values["steps"] for pair in measured]
    return {name: Spread.of([step[name]["seconds"] for step in steps]) for name in steps[0]}
