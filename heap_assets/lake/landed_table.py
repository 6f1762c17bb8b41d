"""One table as it was delivered: a Delta table that keeps every delivery apart.

A delivery is committed as one; files of a delivery that came again replace its older ones; deliveries that no longer
count stay until maintenance removes them, since a published file may still read them. What a delivery holds (rows,
columns, nulls) stands in the commit itself, so nothing has to be decoded or opened to know it.
Here: committing and listing files. Not here: remembering them (listing.py), what the rows mean (transforms/), which
deliveries count (the caller).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Field, PostCommitHookProperties, Schema
from deltalake.exceptions import TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, create_table_with_add_actions

from heap_assets.errors import LakeError
from heap_assets.lake.delta_errors import explained
from heap_assets.lake.delta_log import mend_log, settle_log
from heap_assets.lake.delta_types import add_action, delta_field, stored_type
from heap_assets.lake.listing import (
    DELIVERY,
    LandedFile,
    committed_files,
    files_of_lost_version,
    forget_files,
    remember_files,
    remembered_files,
)
from heap_assets.lake.lost_files import lost_files
from heap_assets.lake.parquet_footer import Footer
from heap_assets.lake.storage import Storage
from heap_assets.lake.table_folder import table_folder

_PROPERTIES = {
    "delta.dataSkippingNumIndexedCols": "-1",  # the null counts of every column are what a table's shape is made of
    "delta.checkpointInterval": "10",  # a commit costs 10 ms of CPU at the hundredth delivery; 43 with delta-rs's 100
}
_HOOK = PostCommitHookProperties(cleanup_expired_logs=False)  # maintenance does it


@dataclass(frozen=True, slots=True)
class NewFile:
    """A place for a Parquet file of a delivery; plain values, so that whoever writes it may be another process."""

    written: Path
    path: str
    delivery: str
    first_row_id: int

    def kept(self, storage: Storage, footer: Footer) -> LandedFile:
        """Keep the file that was written, and return it; it counts once it is committed."""
        size = self.written.stat().st_size
        storage.keep(self.written, self.path)
        return LandedFile(
            path=self.path,
            delivery=self.delivery,
            rows=footer.rows,
            size=size,
            first_row_id=self.first_row_id,
            nulls=footer.nulls,
        )


class LandedTable:
    """The deliveries of one table."""

    def __init__(self, storage: Storage, name: str) -> None:
        self.name = name
        self.storage = storage
        self._folder = table_folder(name)
        self._delta: DeltaTable | None = None
        self._opened_with: dict[str, str] = {}
        self._files: tuple[LandedFile, ...] | None = None
        self._version: int | None = None
        self._reserved = 0
        self._remembers = self._is_stale = False

    @property
    def address(self) -> str:
        """Return where the table lies."""
        return self.storage.address(self._folder)

    def files(self) -> tuple[LandedFile, ...]:
        """Return every committed file."""
        if self._files is None:
            found = remembered_files(self.storage, self._folder)
            self._remembers, self._is_stale = found is not None, found is None
            if found is not None:
                self._version, self._files = found
            else:
                delta = self._open()
                self._version = None if delta is None else delta.version()
                self._files = () if delta is None else committed_files(delta, self._folder)
        return self._files

    def remember(self) -> None:
        """Have whoever opens the table next find its files without reading the log."""
        files = self.files()
        delta = None if self._remembers else self._open()
        if delta is not None:
            remember_files(self.storage, self._folder, files, version=delta.version())
            self._remembers = True

    def undone(self) -> frozenset[str]:
        """Return the deliveries that the table had otherwise in a version that its log has lost."""
        self.files()
        if not self._is_stale:
            return frozenset()
        there = {file.path for file in self.files()}
        lost = files_of_lost_version(self.storage, self._folder)
        return frozenset(file.delivery for file in lost if file.path not in there)

    def mend(self) -> tuple[str, ...]:
        """Set aside what cannot be read of the log after a power cut; return it. What it committed is not any more."""
        return mend_log(self.storage, self._folder)

    def lost_files(self, deliveries: Collection[str]) -> tuple[LandedFile, ...]:
        """Return the files of these deliveries that are committed, but gone or not whole."""
        return lost_files(self.storage, (file for file in self.files() if file.delivery in deliveries))

    def settle(self, deliveries: Collection[str]) -> None:
        """Return when these deliveries, which a killed run may have committed, survive a power cut."""
        self.storage.settle([file.path for file in self.files() if file.delivery in deliveries])
        settle_log(self.storage, self._folder, since=0)

    def deliveries(self) -> frozenset[str]:
        """Return the deliveries that are committed."""
        return frozenset(file.delivery for file in self.files())

    def next_row_id(self) -> int:
        """Return the first row id that no committed row has, and none that is on its way."""
        return max(self._reserved, *(file.first_row_id + file.rows for file in self.files()), 0)

    def reserve(self, row_id: int) -> None:
        """Keep the row ids below this one for a delivery that will be committed; of one that fails they stay unused."""
        self._reserved = max(self._reserved, row_id)

    def new_file(self, delivery: str, number: str, first_row_id: int) -> NewFile:
        """Return a place for a file of a delivery; it counts once ``commit`` names it."""
        path = f"{self._folder}/{delivery}/{number}.parquet"
        return NewFile(self.storage.new_file(path), path, delivery, first_row_id)

    def commit(self, delivery: str, files: Sequence[LandedFile], *, dump_id: int) -> int:
        """Make these files, which have been kept, the content of a delivery, in one commit; return their rows.

        The files survive a power cut before the commit is made, and so does the commit before this returns.
        """
        others = tuple(file for file in self.files() if file.delivery != delivery)
        adds = [add_action(file.path.removeprefix(f"{self._folder}/"), file, dump_id=dump_id) for file in files]
        columns = dict.fromkeys(column for file in files for column in file.nulls)
        self.storage.settle()
        if self._is_stale:
            forget_files(self.storage, self._folder)
            self._is_stale = False
        with explained(self.address):
            before = self._write(delivery, adds, list(columns), dump_id)
        settle_log(self.storage, self._folder, since=before + 1)
        self._files, self._remembers = (*others, *files), False
        return sum(file.rows for file in files)

    def scan(self, paths: Iterable[str], columns: Iterable[str]) -> pl.LazyFrame:
        """Return these stored columns of these files, lazily; a column that a file lacks is null there."""
        schema = {column: stored_type(column).polars for column in columns}
        addresses = [self.storage.address(path) for path in paths]
        if not addresses:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(
            addresses,
            schema=schema,
            missing_columns="insert",
            extra_columns="ignore",
            hive_partitioning=False,
            glob=False,
            storage_options=self.storage.options() or None,
        )

    def _open(self) -> DeltaTable | None:
        """Return the Delta table, opened again when the keys that it was opened with have been renewed."""
        options = self.storage.options()
        if self._delta is None or options != self._opened_with:
            address = self.storage.delta_address(self._folder)
            try:
                with explained(address):
                    self._delta = DeltaTable(address, storage_options=options or None)
            except TableNotFoundError:
                return None
            self._opened_with = options
        return self._delta

    def _write(self, delivery: str, adds: list[AddAction], columns: list[str], dump_id: int) -> int:
        """Commit; return the version that the table had before, -1 without one."""
        # What was decided on the files as they were holds for no later version, so nothing is retried on one.
        properties = CommitProperties({"delivery": delivery, "dump_id": str(dump_id)}, max_commit_retries=0)
        delta = self._open_as_listed()
        if delta is None:
            create_table_with_add_actions(
                self.storage.delta_address(self._folder),
                schema=Schema([Field(DELIVERY, PrimitiveType("string")), *map(delta_field, columns)]),
                add_actions=adds,
                partition_by=[DELIVERY],
                name=self.name,
                configuration=_PROPERTIES,
                storage_options=self.storage.options() or None,
                commit_properties=properties,
            )
            self._version = 0
            return -1
        before = delta.version()
        known = {field.name for field in delta.schema().fields}
        if missing := [delta_field(column) for column in columns if column not in known]:
            once = CommitProperties(max_commit_retries=0)
            delta.alter.add_columns(missing, commit_properties=once, post_commithook_properties=_HOOK)
            self._version = delta.version()
        again = delivery in self.deliveries()
        delta.create_write_transaction(
            [*adds],
            "overwrite" if again else "append",
            delta.schema(),
            partition_by=[DELIVERY],
            partition_filters=[(DELIVERY, "=", delivery)] if again else None,
            commit_properties=properties,
            post_commithook_properties=_HOOK,
        )
        self._version = delta.version() + 1
        delta.update_incremental()
        return before

    def _open_as_listed(self) -> DeltaTable | None:
        delta = self._open()
        if (None if delta is None else delta.version()) != self._version:
            raise LakeError(f"{self.address}: another process has committed meanwhile; sync again")
        return delta
