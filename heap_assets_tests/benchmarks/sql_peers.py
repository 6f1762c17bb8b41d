"""Tasks of those who have no heap_assets: Avro to Parquet by the best reader call, then SQL, alone or as a dbt project.

Left out of both: dumps that are late or come again, resyncs at night, chains and cycles of merges, drifting times and
ids, labeled properties, quarantine, sync state, comments, checks, the report, an old file that stays readable meanwhile.
Of dbt its tests are left out. Of each export the files are given that are needed (exports.py). Not here: the SQL
(dbt_project/), filling it in (plain_sql.py).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from heap_assets_tests.benchmarks.child import peak_bytes
from heap_assets_tests.benchmarks.plain_sql import PROJECT, statements

MODELS = ("heap_events", "heap_pageviews", "heap_sessions", "heap_users", "funnel_users", "attribution")
_Steps = dict[str, dict[str, float]]


def plain_sql(files: list[str], out: str, migrated_as: str) -> dict[str, Any]:
    """Decode an export and make everything in a DuckDB file, the migrated tables as ``view`` or as ``table``."""
    place, steps = Path(out), dict[str, dict[str, float]]()
    with _timed(steps, "decode"):
        _decode(files, place / "raw")
    with _timed(steps, "SQL"), duckdb.connect(place / "peer.duckdb") as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("CREATE SCHEMA migrated; CREATE SCHEMA heap")
        for name, statement in statements(place / "raw", migrated_as=migrated_as):
            started = time.perf_counter()
            connection.execute(statement)
            steps[name] = {"seconds": time.perf_counter() - started}
    return {"steps": steps}


def dbt(files: list[str], out: str) -> dict[str, Any]:
    """Decode what is new and run the dbt project; dbt's start and parsing count, importing it does not."""
    from dbt.cli.main import dbtRunner

    place, steps = Path(out), dict[str, dict[str, float]]()
    os.environ |= {"HEAP_PEER_RAW": str(place / "raw"), "HEAP_PEER_DATABASE": str(place / "peer.duckdb")}
    with _timed(steps, "decode"):
        _decode(files, place / "raw")
    with _timed(steps, "dbt run"):
        folders = {"target": place / "target", "log": place / "logs"}
        options = [f"--{name}-path={folder}" for name, folder in folders.items()]
        options += [f"--project-dir={PROJECT}", f"--profiles-dir={PROJECT}", "--quiet"]
        outcome = dbtRunner().invoke(["run", *options])
    if not outcome.success:
        raise RuntimeError(f"dbt failed: {outcome.exception or [result.message for result in outcome.result]}")
    for result in outcome.result:
        steps[result.node.name] = {"seconds": result.execution_time}
    return {"steps": steps}


def rows(database: Path) -> dict[str, int]:
    """Return the number of rows of each model."""
    with duckdb.connect(database, read_only=True) as connection:
        return {name: _count(connection, f"heap.{name}") for name in MODELS}


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(found[0])


def _decode(files: list[str], raw: Path) -> None:
    """Make of each file a Parquet file as it is, in a folder by table and dump."""
    for number, file in enumerate(files):
        sync, table = Path(file).parts[-3:-1]
        folder = raw / table / sync.replace("sync_", "dump_id=")
        folder.mkdir(parents=True, exist_ok=True)
        pl.read_avro(file).write_parquet(folder / f"{number}.parquet", compression="zstd")


@contextmanager
def _timed(steps: _Steps, name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    steps[name] = {"seconds": time.perf_counter() - started, "peak_bytes": peak_bytes()}
