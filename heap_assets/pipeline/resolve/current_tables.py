"""The raw tables as they are now: which files, in which shape, under which names.

Here: ledger and committed deliveries put together. Nothing is decoded or scanned. Not here: which rows are superseded
(resolution.py).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import polars as pl

from heap_assets.expressions.polars.reading import read_column
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.listing import LandedFile
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.ledger import Ledger
from heap_assets.schema.heap_tables import SYSTEM_TABLES, RawTable
from heap_assets.schema.published_tables import PublishedTables, published_tables
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, delivered_column, stored_name
from heap_assets.schema.table_schema import TableSchema, schema_of_files
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.truth import DumpDelivery, current_deliveries, last_listing, tables_with_files
from heap_assets.transforms.duplicates import has_required_ids, keys


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactedFile:
    """A file with a copy of all rows of several deliveries, named as in ``CurrentTable.deliveries``."""

    path: str
    deliveries: tuple[str, ...]
    size: int


@dataclass(frozen=True, kw_only=True)
class CurrentTable:
    """One raw table after the dumps of the ledger; ``compacted`` are read in place of the files of their deliveries."""

    table_schema: TableSchema
    landed: LandedTable
    files: tuple[LandedFile, ...]
    dump_deliveries: tuple[DumpDelivery, ...]
    last_listed: DumpDelivery
    compacted: tuple[CompactedFile, ...] = ()

    @property
    def name(self) -> str:
        """Return the delivered name."""
        return self.table_schema.name

    @property
    def table(self) -> RawTable:
        """Return what the catalogue declares of the table."""
        return self.table_schema.table

    def deliveries(self) -> tuple[str, ...]:
        """Return the deliveries that make up the table; one that was read again is another one, its row ids are new."""
        return tuple(self.files_by_delivery())

    def files_of(self, deliveries: Collection[str]) -> tuple[LandedFile, ...]:
        """Return the files of these deliveries, named as in ``deliveries``."""
        return tuple(
            file
            for delivery_name, files in self.files_by_delivery().items()
            if delivery_name in deliveries
            for file in files
        )

    def files_by_delivery(self) -> Mapping[str, tuple[LandedFile, ...]]:
        """Return the files of each delivery, which is named as in ``deliveries``."""
        return self._by_delivery_name

    @cached_property
    def _by_delivery_name(self) -> Mapping[str, tuple[LandedFile, ...]]:
        return _by_delivery(self.files)

    def files_ever(self, deliveries: Collection[str]) -> tuple[LandedFile, ...] | None:
        """Return the files of these deliveries, be they current or not; None if the lake has one no more."""
        landed = _by_delivery(sorted(self.landed.files(), key=lambda file: file.first_row_id))
        return (
            tuple(file for delivery_name in deliveries for file in landed[delivery_name])
            if set(deliveries) <= landed.keys()
            else None
        )

    def stored_columns(self) -> tuple[str, ...]:
        """Return the stored columns that any file has, and those that the table needs."""
        return self._columns

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        columns = dict.fromkeys((ROW_ID, DUMP_ID, *(column for file in self.files for column in file.nulls)))
        columns.update(dict.fromkeys(stored_name(column, ValueType.LONG) for column in self.table.required))
        columns[stored_name(self.table.newest_by, ValueType.TIME)] = None
        return tuple(columns)

    def paths(self, deliveries: Collection[str] | None = None) -> tuple[str, ...]:
        """Return the files in which all rows of these deliveries stand, each once; of all of them by default."""
        wanted = set(self.deliveries() if deliveries is None else deliveries)
        compacted = [copy for copy in self.compacted if set(copy.deliveries) <= wanted]
        rest = wanted - {delivery_name for copy in compacted for delivery_name in copy.deliveries}
        return (*(copy.path for copy in compacted), *(file.path for file in self.files_of(rest)))

    def is_uniform(self) -> bool:
        """Return whether the files that are read have the same columns."""
        packed = {delivery_name for copy in self.compacted for delivery_name in copy.deliveries}
        columns = {frozenset(file.nulls) for file in self.files_of(set(self.deliveries()) - packed)}
        return len(columns | ({frozenset(self.stored_columns())} if self.compacted else set())) == 1

    def stored(self, deliveries: Collection[str] | None = None) -> pl.LazyFrame:
        """Return every stored column of the rows of these deliveries, those without their ids included."""
        return self.landed.scan(self.paths(deliveries), self.stored_columns())

    def keys_of(self, entities: pl.Series, deliveries: Collection[str] | None = None) -> pl.DataFrame:
        """Return the key frame of the rows with one of these entities; for all other rows one column is read."""
        ids = dict.fromkeys(stored_name(column, ValueType.LONG) for column in (*self.table.required, *self.table.key))
        entity = pl.col(stored_name(self.table.entity, ValueType.LONG))
        found = (
            self.stored(deliveries)
            .filter(entity.is_in(entities.implode()))
            .select(ROW_ID, DUMP_ID, *ids, stored_name(self.table.newest_by, ValueType.TIME))
            .collect(engine="streaming")
        )
        return keys(found.lazy(), self.table).collect()

    def kept(self, superseded: pl.Series, *, of_users: pl.Series | None = None) -> pl.LazyFrame:
        """Return the rows that count, in stored columns; of these recorded users alone, if any are given."""
        rows = self.stored()
        if of_users is not None:
            rows = rows.filter(pl.col(stored_name("user_id", ValueType.LONG)).is_in(of_users.implode()))
        if self.table_schema.unkeyed:
            rows = rows.filter(has_required_ids(self.table))
        return rows.join(superseded.to_frame(ROW_ID).lazy(), on=ROW_ID, how="anti") if len(superseded) else rows

    def rows(self, superseded: pl.Series, *, of_users: pl.Series | None = None) -> pl.LazyFrame:
        """Return the rows that count, of these recorded users if any are given, as a reader sees them.

        Names are those that were delivered.
        """
        # a selection of nulls alone would have one row, whatever it is selected from; hence the row id
        return (
            self.kept(superseded, of_users=of_users)
            .select(ROW_ID, *map(read_column, self.table_schema.columns))
            .drop(ROW_ID)
        )

    def unread_values(self) -> dict[str, int]:
        """Return how many values of each id or time column say nothing as such; the lake keeps them as they came."""
        unread: dict[str, int] = {}
        for file in self.files:
            for stored, nulls in file.nulls.items():
                column, value_type = (stored, None) if stored in {ROW_ID, DUMP_ID} else delivered_column(stored)
                if self.table.native_type(column) not in {None, value_type} and nulls < file.rows:
                    unread[column] = unread.get(column, 0) + file.rows - nulls
        return unread

    def stored_rows(self) -> int:
        """Return how many rows its deliveries brought, superseded ones and rows without their ids included."""
        return sum(file.rows for file in self.files)

    def delivered_rows(self, item: DumpDelivery) -> int:
        """Return how many rows a delivery brought, rows without their ids included."""
        return sum(file.rows for file in self.files if file.delivery == item.dump.delivery_id)


def _by_delivery(files: Iterable[LandedFile]) -> dict[str, tuple[LandedFile, ...]]:
    """Return the files of each delivery under its name: with the first of its row ids, a row is in one of them only."""
    of: dict[str, list[LandedFile]] = {}
    for file in files:
        of.setdefault(file.delivery, []).append(file)
    return {f"{delivery}@{files[0].first_row_id}": tuple(files) for delivery, files in of.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentTables:
    """Every table that exists, by delivered name, and the names under which they are published."""

    tables: Mapping[str, CurrentTable]
    names: PublishedTables
    listed: Mapping[str, DumpDelivery]

    def event_like(self) -> tuple[CurrentTable, ...]:
        """Return sessions, pageviews and event tables, by delivered name."""
        return tuple(table for name, table in sorted(self.tables.items()) if table.table.is_event_like)


def current_tables(
    storage: Storage,
    ledger: Ledger,
    *,
    segments: tuple[str, ...] = (),
    landed: Mapping[str, LandedTable] = MappingProxyType({}),
) -> CurrentTables:
    """Return the tables as the ledger's dumps leave them; ``landed`` are those that are open already."""
    dumps = tuple(ledger.dumps.values())
    current, listed, existing = current_deliveries(dumps), last_listing(dumps), tables_with_files(dumps)
    tables = {}
    for name in sorted(existing):
        table = landed.get(name) or LandedTable(storage, name)
        deliveries = current[name]
        place = {item.dump.delivery_id: number for number, item in enumerate(deliveries)}
        files = sorted(
            (file for file in table.files() if file.delivery in place),
            key=lambda file: (place[file.delivery], file.first_row_id),
        )
        columns = [column for item in deliveries for column in item.delivery.columns]
        tables[name] = CurrentTable(
            table_schema=schema_of_files(name, files, manifest_columns=dict.fromkeys(columns)),
            landed=table,
            files=tuple(files),
            dump_deliveries=deliveries,
            last_listed=listed[name],
        )
    return CurrentTables(
        tables=tables,
        names=published_tables(sorted({*existing, *set(listed) - SYSTEM_TABLES}), segments=segments),
        listed=listed,
    )
