"""Maintenance of the raw Delta tables: what counts no more is removed, a week after nobody can still read it.

Files are never merged: a delivery is a partition, its rows are known by file and row id, and where a row came from
stands in its file. Here: removing void deliveries, vacuum, the log. Not here: which deliveries count (the caller).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from deltalake import DeltaTable

from heap_assets.lake.delta_errors import explained
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.storage import Storage

RETENTION = timedelta(days=7)
"""A published file, and whoever has it open, may still read Parquet that counts no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What was done to a table: deliveries taken out of it, and files that were deleted."""

    deliveries: int
    files: int


def tidied(storage: Storage, name: str, *, counting: Collection[str]) -> Tidied:
    """Take deliveries that count no more out of a table, and delete what was taken out a week ago or never committed.

    The delivery with the greatest row ids stays in any case, so that no row id is given out twice.
    """
    files = LandedTable(storage, name).files()
    if not files:
        return Tidied(deliveries=0, files=0)
    last = max(files, key=lambda file: file.first_row_id).delivery
    void = sorted({file.delivery for file in files} - {*counting, last})
    folder = "/".join(files[0].path.split("/")[:2])
    address = storage.address(folder)
    with explained(address):
        delta = DeltaTable(address, storage_options=storage.options() or None)
        if void:
            delta.delete(" OR ".join(f"\"$delivery\" = '{delivery}'" for delivery in void))
        deleted = delta.vacuum(retention_hours=int(RETENTION / timedelta(hours=1)), dry_run=False, full=True)
        delta.cleanup_metadata()
    for path in deleted:
        storage.remove(f"{folder}/{path}")
    return Tidied(deliveries=len(void), files=len(deleted))


def removed_leftovers(storage: Storage, folder: str, *, kept: Collection[str], now: datetime) -> int:
    """Delete the files of a folder that are not in ``kept`` and older than a week; return how many."""
    old = [file.path for file in storage.files(folder) if file.path not in kept and now - file.modified > RETENTION]
    for path in old:
        storage.remove(path)
    return len(old)
