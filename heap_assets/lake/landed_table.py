"""One table as it was delivered: a Delta table that keeps every delivery apart.

A delivery is committed as one; files of a delivery that came again replace its older ones; deliveries that no longer
count stay until maintenance removes them, since a published file may still read them. What a delivery holds (rows,
columns, nulls) stands in the commit itself, so nothing has to be decoded or opened to know it.
Here: committing and listing files. Not here: remembering them (listing.py), what the rows mean (transforms/), which
deliveries count (the caller).
"""

import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, Field, PostCommitHookProperties, Schema
from deltalake.exceptions import TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, create_table_with_add_actions

from heap_assets.columns import DUMP_ID, ROW_ID, ValueType, delivered_column, escaped
from heap_assets.errors import LakeError
from heap_assets.lake.delta_errors import explained
from heap_assets.lake.listing import LandedFile, remember_files, remembered_files
from heap_assets.lake.parquet_footer import Footer
from heap_assets.lake.storage import Storage

_DELIVERY = "$delivery"
_DELTA_TYPES = {
    ValueType.BOOLEAN: "boolean",
    ValueType.LONG: "long",
    ValueType.DOUBLE: "double",
    ValueType.TEXT: "string",
    ValueType.TIME: "timestamp_ntz",
}
_NULLS = "null_count."
_MOST_LETTERS = 200
_PROPERTIES = {
    "delta.dataSkippingNumIndexedCols": "-1",  # the null counts of every column are what a table's shape is made of
    "delta.checkpointInterval": "10",  # a commit costs 10 ms of CPU at the hundredth delivery; 43 with delta-rs's 100
}


@dataclass(frozen=True, slots=True)
class NewFile:
    """A place for a Parquet file of a delivery, which counts once it is committed."""

    written: Path
    path: str
    first_row_id: int


class LandedTable:
    """The deliveries of one table."""

    def __init__(self, storage: Storage, name: str) -> None:
        self.name = name
        self._storage = storage
        self._folder = f"raw/{_folder_name(name)}"
        self._delta: DeltaTable | None = None
        self._opened_with: dict[str, str] = {}
        self._files: tuple[LandedFile, ...] | None = None
        self._version: int | None = None
        self._reserved = 0
        self._remembers = False

    def files(self) -> tuple[LandedFile, ...]:
        """Return every committed file."""
        if self._files is None:
            found = remembered_files(self._storage, self._folder)
            self._remembers = found is not None
            self._version, self._files = self._listed() if found is None else found
        return self._files

    def remember(self) -> None:
        """Have whoever opens the table next find its files without reading the log."""
        files = self.files()
        delta = None if self._remembers else self._open()
        if delta is not None:
            remember_files(self._storage, self._folder, files, version=delta.version())
            self._remembers = True

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
        return NewFile(self._storage.new_file(path), path, first_row_id)

    def commit(self, delivery: str, new_files: Iterable[tuple[NewFile, Footer]], *, dump_id: int) -> int:
        """Make these files the content of a delivery, in one commit; return their rows."""
        adds: list[AddAction] = []
        columns: dict[str, None] = {}
        landed = [file for file in self.files() if file.delivery != delivery]
        rows = 0
        for new, footer in new_files:
            nulls, count = footer.nulls, footer.rows
            columns.update(dict.fromkeys(nulls))
            rows += count
            statistics = {
                "numRecords": count,
                "nullCount": nulls,
                "minValues": {ROW_ID: new.first_row_id, DUMP_ID: dump_id},
                "maxValues": {ROW_ID: new.first_row_id + count - 1, DUMP_ID: dump_id},
            }
            size = new.written.stat().st_size
            self._storage.keep(new.written, new.path)
            adds.append(
                AddAction(
                    path=new.path.removeprefix(f"{self._folder}/"),
                    size=size,
                    partition_values={_DELIVERY: delivery},
                    modification_time=int(time.time() * 1000),
                    data_change=True,
                    stats=json.dumps(statistics),
                )
            )
            landed.append(
                LandedFile(
                    path=new.path,
                    delivery=delivery,
                    rows=count,
                    size=size,
                    first_row_id=new.first_row_id,
                    nulls=nulls,
                )
            )
        with explained(self._storage.address(self._folder)):
            self._write(delivery, adds, list(columns), dump_id)
        self._files, self._remembers = tuple(landed), False
        return rows

    def scan(self, paths: Iterable[str], columns: Iterable[str]) -> pl.LazyFrame:
        """Return these stored columns of these files, lazily; a column that a file lacks is null there."""
        schema = {column: _stored_type(column).polars for column in columns}
        addresses = [self._storage.address(path) for path in paths]
        if not addresses:
            return pl.LazyFrame(schema=schema)
        return pl.scan_parquet(
            addresses,
            schema=schema,
            missing_columns="insert",
            extra_columns="ignore",
            hive_partitioning=False,
            glob=False,
            storage_options=self._storage.options() or None,
        )

    def _open(self) -> DeltaTable | None:
        """Return the Delta table, opened anew when the keys that it was opened with have been renewed."""
        options = self._storage.options()
        if self._delta is None or options != self._opened_with:
            address = self._storage.address(self._folder)
            try:
                with explained(address):
                    self._delta = DeltaTable(address, storage_options=options or None)
            except TableNotFoundError:
                return None
            self._opened_with = options
        return self._delta

    def _listed(self) -> tuple[int | None, tuple[LandedFile, ...]]:
        delta = self._open()
        if delta is None:
            return None, ()
        adds = pl.DataFrame(delta.get_add_actions(flatten=True))
        counted = [column for column in adds.columns if column.startswith(_NULLS)]
        files = [
            LandedFile(
                path=f"{self._folder}/{row['path']}",
                delivery=row[f"partition.{_DELIVERY}"],
                rows=row["num_records"],
                size=row["size_bytes"],
                first_row_id=row[f"min.{ROW_ID}"],
                nulls={column.removeprefix(_NULLS): row[column] for column in counted if row[column] is not None},
            )
            for row in adds.iter_rows(named=True)
        ]
        return delta.version(), tuple(files)

    def _write(self, delivery: str, adds: list[AddAction], columns: list[str], dump_id: int) -> None:
        # What was decided on the files as they were holds for no later version, so nothing is retried on one.
        properties = CommitProperties({"delivery": delivery, "dump_id": str(dump_id)}, max_commit_retries=0)
        delta = self._open_as_listed()
        if delta is None:
            create_table_with_add_actions(
                self._storage.address(self._folder),
                schema=Schema([Field(_DELIVERY, PrimitiveType("string")), *map(_delta_field, columns)]),
                add_actions=adds,
                partition_by=[_DELIVERY],
                name=self.name,
                configuration=_PROPERTIES,
                storage_options=self._storage.options() or None,
                commit_properties=properties,
            )
            self._version = 0
            return
        known = {field.name for field in delta.schema().fields}
        if missing := [_delta_field(column) for column in columns if column not in known]:
            delta.alter.add_columns(missing, commit_properties=CommitProperties(max_commit_retries=0))
            self._version = delta.version()
        again = delivery in self.deliveries()
        delta.create_write_transaction(
            [*adds],
            "overwrite" if again else "append",
            delta.schema(),
            [_DELIVERY],
            [(_DELIVERY, "=", delivery)] if again else None,
            commit_properties=properties,
            post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
        )
        self._version = delta.version() + 1
        delta.update_incremental()

    def _open_as_listed(self) -> DeltaTable | None:
        delta = self._open()
        if (None if delta is None else delta.version()) != self._version:
            place = self._storage.address(self._folder)
            raise LakeError(f"{place}: another process has committed meanwhile; sync again")
        return delta


def _folder_name(name: str) -> str:
    """Return a folder name for a table; file systems take 255 bytes, and an event's name can be longer."""
    folder = escaped(name)
    if folder == "_delta_log":  # Delta would take it for the log of the folder above
        return "~5fdelta_log"
    if len(folder) <= _MOST_LETTERS:
        return folder
    return f"{folder[: _MOST_LETTERS - 20]}~~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def _stored_type(column: str) -> ValueType:
    return ValueType.LONG if column in {ROW_ID, DUMP_ID} else delivered_column(column)[1]


def _delta_field(column: str) -> Field:
    return Field(column, PrimitiveType(_DELTA_TYPES[_stored_type(column)]))
