"""Damage to the lake that a step meets while it reads: named with its file and the command that mends it.

Landing looks at every file of the raw tables, and a memory at those that it names; this is for what happens later, and
for damage inside a file. Here: finding it, once something could not be read. Not here: mending (held_deliveries.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl

from heap_assets.errors import LakeError
from heap_assets.export.truth import current_deliveries
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.analytics_state import analyzed_files
from heap_assets.pipeline.ledger import read_ledger
from heap_assets.pipeline.packing import packed_files
from heap_assets.pipeline.resolved_state import resolved_files

_READING = (pl.exceptions.PolarsError, pl.exceptions.PanicException, duckdb.Error, OSError)
_MOST_LETTERS = 200


@contextmanager
def damage_named(storage: Storage) -> Iterator[None]:
    """Turn what a reader raises over a damaged file of the lake into a ``LakeError``; all else stays what it is."""
    try:
        yield
    except _READING as error:
        damage = _raw_damage(storage) or _derived_damage(storage)
        if damage is None:
            raise
        raise LakeError(damage) from error


def _raw_damage(storage: Storage) -> str | None:
    """Return what is wrong with the first damaged file of a delivery that counts, newest dumps first."""
    dumps = {dump.delivery_id: dump.dump_id for dump in read_ledger(storage).dumps.values()}
    for name, items in current_deliveries(read_ledger(storage).dumps.values()).items():
        counting = {item.dump.delivery_id for item in items if item.delivery.file_count}
        files = LandedTable(storage, name).files() if counting else ()
        for file in sorted(files, key=lambda file: -file.first_row_id):
            if file.delivery in counting and (reason := _reason(storage, file.path)) is not None:
                dump_id = dumps[file.delivery]
                told = f"Dump {dump_id}, table {name}: {storage.address(file.path)} {reason}"
                return f"{told}. Read the dump again: heap-assets sync --reland {dump_id}"
    return None


def _derived_damage(storage: Storage) -> str | None:
    """Return what is wrong with the first damaged file that was computed from the raw tables."""
    for path in sorted(resolved_files(storage) | analyzed_files(storage) | packed_files(storage)):
        if (reason := _reason(storage, path)) is not None:
            return f"{storage.address(path)} {reason}. Compute it again: heap-assets sync --rebuild"
    return None


def _reason(storage: Storage, path: str) -> str | None:
    """Return what is wrong with a file; one in S3 is there or not, and is not fetched to be looked into."""
    if storage.torn([path]):
        return "is gone or not whole"
    if not storage.can_tear:
        return None
    try:
        pl.scan_parquet(storage.address(path), glob=False).select(pl.all().hash().max()).collect(engine="streaming")
    except _READING as error:
        return f"cannot be read ({next(iter(str(error).splitlines()), type(error).__name__)[:_MOST_LETTERS]})"
    return None
