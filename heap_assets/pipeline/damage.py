"""Damage to the lake that a step meets while it reads: named with its file and the command that mends it.

Landing looks at every file of the raw tables, and the state at those that it names; this is for what happens later, and
for damage inside a file. Here: finding it, once something could not be read. Not here: mending
(landing/held_deliveries.py).
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl

from heap_assets.disk_errors import disk_error
from heap_assets.errors import LakeError, ObjectMissingError
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analytics_state import analyzed_files
from heap_assets.pipeline.ledger import read_ledger
from heap_assets.pipeline.resolve.compaction import compacted_files
from heap_assets.pipeline.resolve.resolved_state import resolved_files
from heap_assets.sources.heap.truth import current_deliveries

_READING = (pl.exceptions.PolarsError, pl.exceptions.PanicException, duckdb.Error, OSError, ObjectMissingError)
_OF_A_FILE = {None, errno.ENOENT, errno.EIO}
_MOST_LETTERS = 200


@contextmanager
def damage_named(storage: Storage) -> Iterator[None]:
    """Turn what a reader raises over a damaged file of the lake into a ``LakeError``; all else stays what it is."""
    try:
        yield
    except _READING as error:
        refused = error.errno not in _OF_A_FILE if isinstance(error, OSError) else disk_error(error, "") is not None
        if refused:
            raise  # a full disk, missing rights
        if isinstance(error, ObjectMissingError) and storage.uri not in str(error):
            raise  # of the export
        damage = _Damage(storage, inside="parquet" in str(error).lower()).first()
        if damage is None:
            raise
        raise LakeError(damage) from error


class _Damage:
    """A look at the files of the lake; ``inside`` says whether they are read as well, which takes its time."""

    def __init__(self, storage: Storage, *, inside: bool) -> None:
        self._storage, self._inside = storage, inside and storage.can_tear

    def first(self) -> str | None:
        """Return what is wrong with the first damaged file, and what mends it."""
        return self._raw() or self._derived()

    def _raw(self) -> str | None:
        """Look at the deliveries that count, the newest of each table first."""
        dumps = read_ledger(self._storage).dumps.values()
        for name, items in current_deliveries(dumps).items():
            counting = {item.dump.delivery_id: item.dump.dump_id for item in items if item.delivery.file_count}
            files = LandedTable(self._storage, name).files() if counting else ()
            for file in sorted(files, key=lambda file: -file.first_row_id):
                dump_id = counting.get(file.delivery)
                if dump_id is not None and (what := self._damage_to(file.path)):
                    return f"Dump {dump_id}, table {name}: {what}. Read it again: heap-assets sync --reland {dump_id}"
        return None

    def _derived(self) -> str | None:
        """Look at what was computed from the raw tables."""
        storage = self._storage
        for path in sorted(resolved_files(storage) | analyzed_files(storage) | compacted_files(storage)):
            if what := self._damage_to(path):
                return f"{what}. Compute it again: heap-assets sync --rebuild"
        return None

    def _damage_to(self, path: str) -> str | None:
        address = self._storage.address(path)
        if self._storage.torn([path]):
            return f"{address} is gone or not whole"
        if not self._inside:
            return None
        try:
            pl.scan_parquet(address, glob=False).select(pl.all().hash().max()).collect(engine="streaming")
        except _READING as error:
            return f"{address} cannot be read ({next(iter(str(error).splitlines()), '')[:_MOST_LETTERS]})"
        return None
