"""What the report, freshness and the command line read from the published file, and what to ask it first.

Here: read-only questions. Not here: building the file (publisher.py).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from heap_assets.warehouse.sql import identifier

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


def synced_tables(path: Path) -> tuple[SyncedTable, ...]:
    """Return _sync_info as it is published, by table, under whatever name the configuration gave its schema then."""
    with duckdb.connect(path, read_only=True) as connection:
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
