"""Task of those who have no heap_assets: Avro to Parquet by the best reader call, then SQL into a DuckDB file.

Left out: dumps that come late or again, resyncs after the first run, chains and cycles of merges, other forms of times
and ids, labeled properties, quarantine, sync state, comments, checks, an old file that stays readable meanwhile. The
files that are needed are given (exports.py). Not here: the SQL (dbt_project/), filling it in (plain_sql.py), dbt
(dbt_peer.py).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from heap_assets_tests.benchmarks.child import peak_bytes
from heap_assets_tests.benchmarks.plain_sql import statements

MODELS = ("heap_events", "heap_pageviews", "heap_sessions", "heap_users", "funnel_users", "attribution")
Steps = dict[str, dict[str, float]]


def plain_sql(files: list[str], out: str, migrated_as: str) -> dict[str, Any]:
    """Decode an export and make everything in a DuckDB file, the migrated tables as ``view`` or as ``table``."""
    place = Path(out)
    steps: Steps = {}
    with timed(steps, "decode"):
        decode(files, place / "raw")
    with timed(steps, "SQL"), duckdb.connect(place / "peer.duckdb") as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("CREATE SCHEMA migrated; CREATE SCHEMA heap")
        for name, statement in statements(place / "raw", migrated_as=migrated_as):
            started = time.perf_counter()
            connection.execute(statement)
            steps[name] = {"seconds": time.perf_counter() - started}
    return {"steps": steps}


def rows(database: Path, *, schema: str) -> dict[str, int]:
    """Return the number of rows of each model."""
    with duckdb.connect(database, read_only=True) as connection:
        return {name: len(connection.table(f"{schema}.{name}")) for name in MODELS}


def decode(files: list[str], raw: Path) -> None:
    """Make of each file a Parquet file as it is, in a folder by table and dump."""
    for number, file in enumerate(files):
        sync, table = Path(file).parts[-3:-1]
        folder = raw / table / sync.replace("sync_", "dump_id=")
        folder.mkdir(parents=True, exist_ok=True)
        pl.read_avro(file).write_parquet(folder / f"{number}.parquet", compression="zstd")


@contextmanager
def timed(steps: Steps, name: str) -> Iterator[None]:
    """Note how long a step takes, and the peak so far after it."""
    started = time.perf_counter()
    yield
    steps[name] = {"seconds": time.perf_counter() - started, "peak_bytes": peak_bytes()}
