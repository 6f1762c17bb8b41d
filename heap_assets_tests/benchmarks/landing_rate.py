"""Rows landed a second, against a loop of polars.read_avro and one of fastavro over the same files.

Contestants take turns, each run in a fresh process with an empty output folder; files are in the page cache.
Here: turns and the table. Not here: what each contestant does (heap_runs.py, peers.py).
"""

import random
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heap_assets_tests.benchmarks import repeated
from heap_assets_tests.benchmarks.exports import Export, needed_files
from heap_assets_tests.benchmarks.figures import MIB, Figure, Spread, Target, disturbance
from heap_assets_tests.benchmarks.fresh_process import Measured, run_fresh

_FASTAVRO_LIMIT_S = 120.0
_TARGETS = {"polars": 1.4, "fastavro": 6.0}
_NOTES = (
    "heap_assets does all of a landing: survey, times and ids, row ids, groups of files, a commit per delivery.",
    "The others leave that out: each Avro file becomes a Parquet file as it is, one after the other.",
)


@dataclass(frozen=True, slots=True)
class _Contestant:
    name: str
    task: str
    arguments: Mapping[str, Any]
    out: str


def measure_rates(export: Export, *, repeats: int, workspace: Path, say: Callable[[str], None]) -> Figure:
    """Return the rates of all contestants."""
    files = needed_files(export)
    for file in files:
        Path(file).read_bytes()
    contestants = _contestants(export, files)
    runs: dict[str, list[Measured]] = {contestant.name: [] for contestant in contestants}
    for turn in range(repeats):
        for contestant in contestants:
            out = workspace / "out"
            out.mkdir()
            say(f"landing rate, {contestant.name}, {turn + 1} of {repeats}")
            arguments = {**contestant.arguments, contestant.out: str(out)}
            runs[contestant.name].append(run_fresh(contestant.task, arguments, workspace=workspace))
            shutil.rmtree(out)
    _check(runs, len(files))
    return _figure(export, len(files), runs)


def _contestants(export: Export, files: list[str]) -> list[_Contestant]:
    shuffled = random.Random(7).sample(files, len(files))  # so that a part of them is like the whole
    return [
        _Contestant("heap_assets", "heap_runs:land", {"export": str(export.root)}, "home"),
        _Contestant("polars", "peers:polars_loop", {"files": files}, "out"),
        _Contestant("fastavro", "peers:fastavro_loop", {"files": shuffled, "limit_s": _FASTAVRO_LIMIT_S}, "out"),
    ]


def _check(runs: Mapping[str, list[Measured]], files: int) -> None:
    """Raise if the contestants did not read the same rows; a fastavro that stopped early has read fewer."""
    rows = {
        name: {run.values["rows"] for run in measured if run.values.get("files", files) == files}
        for name, measured in runs.items()
    }
    if len(set().union(*rows.values())) > 1:
        raise RuntimeError(f"the contestants have read different rows: {rows}")


def _figure(export: Export, files: int, runs: Mapping[str, list[Measured]]) -> Figure:
    rates = {name: Spread.of([run.values["rows"] / run.seconds for run in measured]) for name, measured in runs.items()}
    ours = rates["heap_assets"].median
    count = max(run.values["rows"] for run in runs["heap_assets"])
    rows, data = [], {}
    for name, measured in runs.items():
        share = min(run.values["rows"] for run in measured) / count
        rows.append(
            (
                name if share == 1 else f"{name} ({share:.0%} of the rows)",
                rates[name].told(",.0f"),
                *repeated.cells(measured),
                f"{ours / rates[name].median:.2f}x",
            )
        )
        data[name] = {"rows_per_s": rates[name].as_json(), **repeated.as_json(measured), "share_of_rows": share}
    return Figure(
        title=f"Landing {count:,} rows, {files:,} files, {export.dumps} dumps, {export.size_bytes / MIB:,.0f} MiB Avro",
        columns=("", "rows/s", *repeated.COLUMNS, "heap_assets is"),
        rows=rows,
        notes=[*_NOTES, *disturbance(repeated.all_others(runs))],
        targets=[
            Target(
                what=f"rows/s of heap_assets over {peer}",
                value=ours / rates[peer].median,
                limit=limit,
                at_least=True,
                unit="x",
            )
            for peer, limit in _TARGETS.items()
        ],
        data={"rows": count, "files": files, "dumps": export.dumps, "contestants": data},
    )
