"""``analytics``: sessionization against DuckDB's SQL windows, a funnel against DuckDB and chDB's windowFunnel.

All read the same Parquet file in the same run, take turns, each in a fresh process, and must come to the same result.
Here: options, turns, the check, the table. Not here: what each contestant does (clickstream_ours.py,
clickstream_peers.py), the data (clickstream.py).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from heap_assets_tests.benchmarks import options, repeated
from heap_assets_tests.benchmarks.clickstream import STEPS, write_clickstream
from heap_assets_tests.benchmarks.figures import Figure, Target, disturbance
from heap_assets_tests.benchmarks.fresh_process import Measured, run_fresh
from heap_assets_tests.benchmarks.workspace import say, workspace

_SESSIONS = {"heap_assets": "clickstream_ours:sessions", "DuckDB windows": "clickstream_peers:sessions"}
_FUNNEL = {
    "heap_assets": "clickstream_ours:funnel",
    "DuckDB ASOF joins": "clickstream_peers:funnel_duckdb",
    "chDB windowFunnel": "clickstream_peers:funnel_chdb",
}
_SESSIONS_TARGET, _FUNNEL_TARGET = 1.5, 1.0
_SESSIONS_NOTE = (
    "All: read ten columns of the pageviews, number the sessions, write the 19 columns of heap_pageviews as Parquet"
    " (zstd). DuckDB leaves out the order of rows."
)
_FUNNEL_NOTE = (
    "All: read the rows of the steps, find how far each user got within 7 days, count."
    " The peers leave out the time of each step."
)
_FIGURES = ("sessions", "funnel")
_After = Callable[[str, Measured], None]


@click.command()
@click.option("--rows", type=options.count, default=8_000_000, show_default=True, help="Pageviews and events.")
@options.repeats(5, "Turns of each contestant.")
@options.only(_FIGURES)
@options.cores
@options.json_file
def command(*, rows: int, repeats: int, only: str | None, cores: int, json_file: Path | None) -> None:
    """Measure sessionization and a funnel against SQL on the same Parquet.

    Everything is generated below HEAP_BENCH_DIR, else the system's folder for temporary files, and removed afterwards.
    """
    about = {"benchmark": "analytics", "rows": rows, "repeats": repeats}
    with options.output(about, cores=cores, json_file=json_file) as show, workspace(None) as (_, runs):
        file = runs / "clickstream.parquet"
        say(f"making a clickstream of {rows:,} rows")
        about["pageviews"] = pageviews = write_clickstream(file, rows)
        file.read_bytes()
        for name in _FIGURES if only is None else (only,):
            if name == "sessions":
                show(name, _sessions(file, rows, pageviews, repeats, runs))
            else:
                show(name, _funnel(file, rows, repeats, runs))


def _sessions(file: Path, rows: int, pageviews: int, repeats: int, workspace: Path) -> Figure:
    out = workspace / "sessions.parquet"
    written: dict[str, dict[str, int]] = {}

    def keep_content(name: str, _: Measured) -> None:
        written[name] = (
            written.get(name) or run_fresh("clickstream_ours:content", {"file": str(out)}, workspace=workspace).values
        )
        out.unlink()

    arguments = {"file": str(file), "out": str(out)}
    runs = _turns(_SESSIONS, arguments, repeats, workspace, after=keep_content)
    _check_equal(written)
    found = written["heap_assets"]
    title = f"Sessions of {pageviews:,} pageviews among {rows:,} rows: {found['sessions']:,} sessions"
    return _figure(title, runs, _SESSIONS_NOTE, _SESSIONS_TARGET, {"pageviews": pageviews, **found})


def _funnel(file: Path, rows: int, repeats: int, workspace: Path) -> Figure:
    reached: dict[str, list[int]] = {}

    def keep_users(name: str, run: Measured) -> None:
        reached[name] = run.values["users"]

    runs = _turns(_FUNNEL, {"file": str(file)}, repeats, workspace, after=keep_users)
    _check_equal(reached)
    users = reached["heap_assets"]
    told_users = ", ".join(f"{step} {count:,}" for step, count in zip(STEPS, users, strict=True))
    title = f"A funnel over {rows:,} rows: {told_users} users"
    return _figure(title, runs, _FUNNEL_NOTE, _FUNNEL_TARGET, {"users": users})


def _turns(
    tasks: Mapping[str, str], arguments: Mapping[str, str], repeats: int, workspace: Path, *, after: _After
) -> dict[str, list[Measured]]:
    """Run the contestants in turn, in another order each time."""
    runs: dict[str, list[Measured]] = {name: [] for name in tasks}
    for turn in range(repeats):
        names = list(tasks)
        for name in names if turn % 2 == 0 else reversed(names):
            say(f"{name}, {tasks[name]}, {turn + 1} of {repeats}")
            runs[name].append(run_fresh(tasks[name], arguments, workspace=workspace))
            after(name, runs[name][-1])
    return runs


def _check_equal(results: Mapping[str, object]) -> None:
    """Raise if the contestants did not come to the same result."""
    if any(result != results["heap_assets"] for result in results.values()):
        raise RuntimeError(f"the contestants have found different things: {results}")


def _figure(
    title: str, runs: Mapping[str, Sequence[Measured]], note: str, limit: float, data: Mapping[str, object]
) -> Figure:
    seconds = {name: repeated.seconds(measured) for name, measured in runs.items()}
    ours = seconds["heap_assets"].median
    best = min((name for name in runs if name != "heap_assets"), key=lambda name: seconds[name].median)
    rows, contestants = [], {}
    for name, measured in runs.items():
        rows.append((name, *repeated.cells(measured), f"{seconds[name].median / ours:.2f}x"))
        contestants[name] = repeated.as_json(measured)
    return Figure(
        title=title,
        columns=("", *repeated.COLUMNS, "heap_assets is"),
        rows=rows,
        notes=[note, *disturbance(repeated.all_others(runs))],
        targets=[
            Target(
                what=f"speed of heap_assets over {best}",
                value=seconds[best].median / ours,
                limit=limit,
                at_least=True,
                unit="x",
            )
        ],
        data={**data, "contestants": contestants},
    )
