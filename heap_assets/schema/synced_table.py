"""A row of _sync_info as a value: what is said of a table's deliveries without asking a published file.

Not here: how it comes about (transforms/sync_tables.py).
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedTable:
    """A published table: the time of its newest data, when its last delivery ended and its rows; times UTC, naive."""

    name: str
    synced_to_time: datetime | None
    sync_ended: datetime | None
    inserted_row_count: int
