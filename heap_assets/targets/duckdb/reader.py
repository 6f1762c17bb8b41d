"""What the report, freshness and the command line read from the published file, and what to ask it first.

Here: read-only questions. Not here: building the file (file.py).
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from heap_assets.errors import PublishedFileError
from heap_assets.expressions.duckdb.quoting import identifier
from heap_assets.targets.duckdb.place import names_of
from heap_assets.targets.duckdb.swap import is_written, logs_of

_MOST_COPIED = 1 << 30
_HOLDS_SYNC_INFO = """
    SELECT schema_name FROM duckdb_tables() WHERE table_name IN ('_sync_info', '_sync_history')
    GROUP BY schema_name HAVING count(*) = 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedTable:
    """A row of _sync_info; times UTC without zone."""

    name: str
    synced_to_time: datetime | None
    sync_ended: datetime | None
    inserted_row_count: int


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a read-only connection to the published file.

    While a client has it open for writing, or where one left its log, a copy without that is read.

    Raises:
        PublishedFileError: It is not there, or cannot be opened; says why and what to do.
    """
    if not path.exists():
        raise PublishedFileError(f"there is no published file at {path}; make it with: heap-assets sync")
    names = names_of(path)
    place = names[-1]
    with ExitStack() as until_read:
        if (logs_of(names) or is_written(place)) and place.stat().st_size <= _MOST_COPIED:
            folder = until_read.enter_context(tempfile.TemporaryDirectory(prefix="heap-assets-"))
            place = Path(shutil.copyfile(place, Path(folder) / place.name))
        with explained(path):
            connection = duckdb.connect(place, read_only=True)
        yield until_read.enter_context(connection)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what DuckDB says of a file that it cannot read into a ``PublishedFileError``."""
    try:
        yield
    except duckdb.Error as error:
        said = " ".join(str(error).split())[:300]
        raise PublishedFileError(
            f"{path} cannot be read ({said}). Close what writes into it, if anything does, and sync again."
        ) from error


def synced_tables(path: Path) -> tuple[SyncedTable, ...]:
    """Return _sync_info as it is published, by table, under whatever name the configuration gave its schema then."""
    with opened(path) as connection, explained(path):
        rows = []
        for (schema,) in connection.execute(_HOLDS_SYNC_INFO).fetchall():
            rows = connection.execute(
                "SELECT event_table_name, synced_to_time, sync_ended, inserted_row_count"
                f" FROM {identifier(schema, '_sync_info')} ORDER BY ALL"
            ).fetchall()
    return tuple(
        SyncedTable(name=name, synced_to_time=synced_to, sync_ended=ended, inserted_row_count=count or 0)
        for name, synced_to, ended, count in rows
    )


def first_question(schema: str) -> str:
    """Return a query that shows what is there: events by name."""
    return f"SELECT event_table_name, count(*) FROM {schema}.all_events GROUP BY ALL"
