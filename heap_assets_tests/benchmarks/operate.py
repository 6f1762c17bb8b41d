"""``operate``: what it costs to run by itself with a long history of many tables: ticks, one small dump, loading.

Here: options, the history, output. Not here: what is timed (operate_tasks.py).
"""

import json
import os
import tempfile
from pathlib import Path

import click

from heap_assets_tests.benchmarks import options
from heap_assets_tests.benchmarks.fresh_process import run_fresh
from heap_assets_tests.benchmarks.machine import keep_to_cores, machine
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump

_FEBRUARY, _HOUR = 1_770_000_000_000_000, 3_600_000_000  # microseconds
LIMITS = {"load": 3.0, "quiet_tick": 2.0, "small_dump": 30.0}


@click.command()
@click.option("--tables", type=options.count, default=100, show_default=True, help="Event tables.")
@click.option(
    "--dumps", type=options.count, default=300, show_default=True, help="Dumps in the history; each brings all tables."
)
@click.option("--rows", type=options.count, default=5, show_default=True, help="Rows of each table in each dump.")
@options.repeats(5, "Processes that load definitions.")
@options.cores
@options.json_file
def command(*, tables: int, dumps: int, rows: int, repeats: int, cores: int, json_file: Path | None) -> None:
    """Measure loading definitions, ticks with nothing new, and the run of one small dump, after a long history.

    Everything is generated below HEAP_BENCH_DIR, else the system's folder for temporary files, and removed afterwards.
    """
    keep_to_cores(cores)
    with tempfile.TemporaryDirectory(dir=os.environ.get("HEAP_BENCH_DIR"), prefix="heap-operate-") as folder:
        figures = _measured(Path(folder), tables=tables, dumps=dumps, rows=rows, repeats=repeats)
    click.echo(f"after {dumps} dumps of {tables} event tables:")
    for name, limit in LIMITS.items():
        click.echo(f"  {name:<11} {figures[name]:6.2f} s   limit {limit:g} s")
    for name, seconds in figures["ticks"].items():
        click.echo(f"    {name:<15} {seconds:6.2f} s")
    click.echo(
        f"    definitions alone {figures['definitions']:.2f} s, importing Dagster {figures['import_dagster']:.2f} s"
    )
    if json_file is not None:
        json_file.write_text(json.dumps({**figures, "machine": machine()}, indent=1), encoding="utf-8")


def _measured(folder: Path, *, tables: int, dumps: int, rows: int, repeats: int) -> dict:
    export, home, dagster = folder / "export", folder / "home", folder / "dagster"
    for place in (export, home, dagster):
        place.mkdir()
    (dagster / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    environment = {"HEAP_EXPORT_URI": str(export), "HEAP_HOME": str(home), "DAGSTER_HOME": str(dagster)}
    environment["HEAP_ALERT_URLS"] = "json://127.0.0.1:9/nobody"  # each look is made, nothing can be sent

    def task(name: str, **arguments: int) -> dict:
        return run_fresh(f"operate_tasks:{name}", arguments, workspace=folder, environment=environment).values

    for number in range(1, dumps + 1):
        _deliver(export, number, tables=tables, rows=rows)
    task("history")
    loading, ticks = task("loading", repeats=repeats), task("ticks")
    _deliver(export, dumps + 1, tables=min(tables, 5), rows=rows)
    return {
        "load": loading["all"],
        "import_dagster": loading["dagster"],
        "definitions": loading["definitions"],
        "ticks": ticks,
        "quiet_tick": ticks["heap_manifests"],
        "small_dump": task("run")["seconds"],
    }


def _deliver(export: Path, number: int, *, tables: int, rows: int) -> None:
    """Write a dump of users, sessions, pageviews and event tables, a few rows each."""
    first = number * rows
    users = data_file("user_id:long last_modified", *((first + row, "2026-01-01") for row in range(rows)))
    events = data_file(
        "event_id:long user_id:long session_id:long time",
        *((first + row, first + row, first + row, "2026-01-01") for row in range(rows)),
    )
    names = ["sessions", "pageviews", *(f"event_{table:03}" for table in range(tables))]
    write_dump(
        export, dump(number, {"users": users, **dict.fromkeys(names, events)}, modified=_FEBRUARY + number * _HOUR)
    )
