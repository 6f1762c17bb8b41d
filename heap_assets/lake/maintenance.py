"""Maintenance of the raw Delta tables: what counts no more is removed, a week after nobody can still read it.

Files of a delivery are never merged: its rows are known by file and row id, and where a row came from stands in its
file (copies that are read instead: pipeline/resolve/compaction.py). Here: removing void deliveries, vacuum, the log,
files that nothing names. Not here: which deliveries and files count (the caller).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from deltalake import DeltaTable

from heap_assets.lake.delta_errors import explained
from heap_assets.lake.delta_log import settle_log
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
    address = storage.delta_address(folder)
    with explained(address):
        delta = DeltaTable(address, storage_options=storage.options() or None)
        before = delta.version()
        if void:
            delta.delete(" OR ".join(f"\"$delivery\" = '{delivery}'" for delivery in void))
            settle_log(storage, folder, since=before)
        deleted = delta.vacuum(retention_hours=int(RETENTION / timedelta(hours=1)), dry_run=False, full=True)
        settle_log(storage, folder, since=before)
        delta.cleanup_metadata()
    for path in deleted:
        storage.remove(f"{folder}/{path}")
    after = LandedTable(storage, name)
    after.files()
    after.remember()
    return Tidied(deliveries=len(void), files=len(deleted))


def removed_leftovers(
    storage: Storage, folder: str, *, kept: Collection[str], since: Mapping[str, datetime], now: datetime
) -> tuple[int, dict[str, datetime]]:
    """Delete the files of a folder that have not been in ``kept`` for a week; return how many, and which wait.

    ``since`` tells of the files that waited already from when on; a file's own age says nothing, since the file that
    was published last may have read it until yesterday.
    """
    there = (f"{folder}/{name}" for name in storage.names(folder))
    waiting = {path: since.get(path, now) for path in there if path not in kept}
    old = [path for path, found in waiting.items() if now - found > RETENTION]
    for path in old:
        storage.remove(path)
    return len(old), {path: found for path, found in waiting.items() if path not in old}
