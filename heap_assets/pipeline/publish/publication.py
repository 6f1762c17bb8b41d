"""Publication: the resolution as a DuckDB file that anyone can open.

Facts are views over the lake's Parquet where the lake is a folder, and tables where it is in S3, so that the file opens
without any extension. Here: which tables there are. Not here: what is said of them (descriptions.py), SQL (warehouse/).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from heap_assets.config.model import Configuration
from heap_assets.expressions.duckdb.quoting import identifier
from heap_assets.lake.layers import Layered
from heap_assets.lake.storage import Storage
from heap_assets.models.catalog import ANALYTICS, SCHEMA
from heap_assets.pipeline.build import external_data as other_data
from heap_assets.pipeline.build.analysis import Analysis
from heap_assets.pipeline.build.external_data import JoinedTable
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.publish.descriptions import Descriptions, MadeTable, PublishedTable
from heap_assets.pipeline.publish.internal_schema import InternalSchema
from heap_assets.pipeline.publish.published import Publication
from heap_assets.pipeline.resolve import sync_tables
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.schema.all_events import union_columns
from heap_assets.schema.heap_tables import (
    DROPPED_TABLES,
    EVENT_METADATA,
    SYNC_HISTORY,
    SYNC_INFO,
    SYSTEM_TABLES,
    USERS,
    RawTable,
    raw_table,
)
from heap_assets.schema.labeled import Definition
from heap_assets.schema.labeled_columns import LeftOut
from heap_assets.schema.model import Model
from heap_assets.schema.own_tables import (
    ALL_EVENTS,
    EVENT_TABLE_NAME,
    IDENTITY_MAP,
    MODELS,
    ORIGINAL_USER_ID,
    QUARANTINE,
)
from heap_assets.schema.table_schema import TableShape
from heap_assets.schema.value_types import ValueType
from heap_assets.targets.duckdb import views
from heap_assets.targets.duckdb.file import PublishedFile, new_file

if TYPE_CHECKING:
    from heap_assets.schema.synced_table import SyncedTable


def publish(
    path: Path,
    *,
    storage: Storage,
    ledger: Ledger,
    resolution: Resolution,
    analysis: Analysis,
    joined: JoinedTable | None = None,
    configuration: Configuration,
    as_tables: bool,
    refuse: Callable[[], None],
) -> Publication:
    """Build the file beside the old one and swap it in; return what is in it.

    ``refuse`` is called when the file is built, and raises if it is not to be swapped in; the old one stays then.
    """
    definitions = ledger.parsed_definitions()
    with new_file(path) as file:
        building = _Building(
            file,
            storage,
            resolution,
            analysis,
            configuration=configuration,
            definitions=definitions.definitions,
            as_tables=as_tables,
        )
        building.internal.build()
        building.schema_s(ledger)
        building.schema_migrated()
        building.models()
        if joined is not None:
            building.other_table(joined)
        tables = building.described()
        refuse()
    return Publication(
        path=path,
        tables=tables,
        about=building.about,
        synced=building.synced,
        skipped_definitions={
            **{skipped.name: skipped.reason for skipped in definitions.skipped},
            **building.left_out.reasons(),
        },
        warnings=analysis.warnings,
        replaced=tuple(file.replaced),
    )


class _Building:
    def __init__(
        self,
        file: PublishedFile,
        storage: Storage,
        resolution: Resolution,
        analysis: Analysis,
        *,
        configuration: Configuration,
        definitions: Sequence[Definition],
        as_tables: bool,
    ) -> None:
        self._file, self._storage, self._resolution, self._analysis = file, storage, resolution, analysis
        self._s, self._migrated = configuration.schema_name, configuration.migrated_schema_name
        self._column_set = configuration.all_events_columns
        self._definitions, self._as_tables = definitions, as_tables
        users = () if resolution.users is None else (resolution.users,)
        layered = (*users, *(analyzed.made for analyzed in analysis.models.values()))
        self.internal = InternalSchema(file, storage, resolution, layered, as_tables=as_tables)
        self.about: Mapping[str, str] = {}
        self.synced: tuple[SyncedTable, ...] = ()
        self.left_out = LeftOut()
        self._descriptions = Descriptions()

    def schema_s(self, ledger: Ledger) -> None:
        """Add the tables without migrations."""
        resolution, names = self._resolution, self._resolution.current.names.in_s
        self._file.add_schema(self._s)
        metadata = sync_tables.system_table(EVENT_METADATA.kind, resolution)
        self.about = {} if metadata is None else sync_tables.display_names(metadata)
        sync_info = sync_tables.sync_info_table(resolution)
        self.synced = sync_tables.synced_tables(sync_info)
        self._add_frame(self._s, SYNC_INFO.kind, sync_info)
        self._add_frame(self._s, SYNC_HISTORY.kind, sync_tables.sync_history_table(ledger))
        self._add_frame(self._s, QUARANTINE.name, sync_tables.quarantine_table(self._storage, resolution))
        if metadata is not None:
            self._add_frame(self._s, EVENT_METADATA.kind, metadata)
        dropped = sync_tables.system_table(DROPPED_TABLES.kind, resolution)
        if dropped is not None and dropped.width:
            self._add_frame(self._s, DROPPED_TABLES.kind, dropped)
        for name, table in sorted(resolution.tables.items()):
            if name not in SYSTEM_TABLES:
                query = views.raw_select(table.current.shape, self.internal.lake(table))
                self._add_select(self._s, names[name], query, rows=table.facts.rows, kind=name)
        self._add_all_events(self._s, names)

    def schema_migrated(self) -> None:
        """Add the tables with migrations."""
        resolution, names = self._resolution, self._resolution.current.names.in_migrated
        self._file.add_schema(self._migrated)
        merged = views.file_select(str(self._storage.local_copy(resolution.identity_file)))
        rows = len(resolution.identity_map)
        self._add_select(self._migrated, IDENTITY_MAP.name, merged, rows=rows, kind=IDENTITY_MAP.name)
        if resolution.users is not None:
            self._add_users(resolution.tables[USERS.kind].current.shape, resolution.users)
        recorded: dict[str, str] = {}
        for table in resolution.current.event_like():
            resolved = resolution.tables[table.name]
            published = table.shape.names_in_migrated()
            recorded[table.name] = self.internal.recorded(resolved)
            columns = {column.name: (published[column.name], column.type) for column in table.shape.columns}
            query = views.with_labeled(
                views.migrated_select(table.shape, recorded=recorded[table.name], users=self.internal.users),
                columns,
                self._defined("event", names[table.name], columns),
                ours=[ORIGINAL_USER_ID.name],
            )
            rows = resolved.facts.migrated_rows
            self._add_select(self._migrated, names[table.name], query, rows=rows, kind=table.name)
        self._add_all_events(self._migrated, names, recorded)

    def _add_users(self, shape: TableShape, users: Layered) -> None:
        names = shape.names_in_s()
        known = {column.name: (names[column.name], column.type) for column in shape.columns}
        merged = self.internal.layered(users, user=names["user_id"])
        query = views.with_labeled(merged, known, self._defined("user", USERS.kind, known))
        self._add_select(self._migrated, USERS.kind, query, rows=users.rows, kind=USERS.kind)

    def _add_all_events(self, schema: str, names: Mapping[str, str], recorded: Mapping[str, str] | None = None) -> None:
        """Add all_events over published tables, or on resolved users over ``recorded``: the tables as recorded."""
        tables, migrated = self._resolution.current.event_like(), recorded is not None
        shapes = [table.shape for table in tables]
        columns = union_columns(shapes, column_set=self._column_set, reserved=[ORIGINAL_USER_ID.name] * migrated)
        relations = (
            {name: identifier(schema, published) for name, published in names.items()} if recorded is None else recorded
        )
        query = views.union_select(
            [(shape, names[shape.name], relations[shape.name]) for shape in shapes],
            columns,
            resolved_by=self.internal.users if migrated else None,
        )
        if migrated and self._column_set == "all":
            names_and_types = {column.name: (column.published, column.type) for column in columns}
            ours = [ORIGINAL_USER_ID.name, EVENT_TABLE_NAME]
            defined = self._defined("event", ALL_EVENTS.name, names_and_types)
            query = views.with_labeled(query, names_and_types, defined, ours=ours)
        facts = [self._resolution.tables[table.name].facts for table in tables]
        rows = sum(fact.migrated_rows if migrated else fact.rows for fact in facts)
        self._add_select(schema, ALL_EVENTS.name, query, rows=rows, kind=ALL_EVENTS.name)

    def models(self) -> None:
        """Add heap_analytics, and the segments beside the tables with migrations."""
        self._file.add_schema(SCHEMA)
        for name, analyzed in self._analysis.models.items():
            schema = SCHEMA if analyzed.model in ANALYTICS else self._migrated
            query = self.internal.layered(analyzed.made, user=analyzed.model.user)
            as_table = self._as_tables or analyzed.model.small
            add = self._file.add_table if as_table else self._file.add_view
            add(schema, name, query)
            self._describe(schema, name, analyzed.model, rows=analyzed.made.rows, is_view=not as_table)

    def other_table(self, joined: JoinedTable) -> None:
        """Add the table of the user's own."""
        self._file.add_schema(other_data.SCHEMA)
        content = views.file_select(str(self._storage.local_copy(joined.path)))
        self._file.add_table(other_data.SCHEMA, joined.name, content)
        declared = Model(name=joined.name, description=other_data.ABOUT, key=())
        self._describe(other_data.SCHEMA, joined.name, declared, rows=joined.rows, is_view=False)

    def _defined(self, kind: str, table: str, columns: Mapping[str, tuple[str, ValueType]]) -> list[Definition]:
        """Return the definitions for a table with these columns, and note those that it cannot have."""
        found = [definition for definition in self._definitions if definition.kind == kind]
        self.left_out.note(table, found, {name: published for name, (published, _) in columns.items()})
        return found

    def _add_frame(self, schema: str, name: str, frame: pl.DataFrame) -> None:
        self._file.add_table(schema, name, frame)
        self._describe(schema, name, MODELS.get(name) or raw_table(name), rows=frame.height, is_view=False)

    def _add_select(self, schema: str, name: str, query: str, *, rows: int, kind: str) -> None:
        if self._as_tables:
            self._file.add_table(schema, name, query)
        else:
            self._file.add_view(schema, name, query)
        self._describe(schema, name, MODELS.get(kind) or raw_table(kind), rows=rows, is_view=not self._as_tables)

    def described(self) -> tuple[PublishedTable, ...]:
        """Say what everything means, and return the tables."""
        return self._descriptions.put_into(self._file, about=self.about)

    def _describe(self, schema: str, name: str, declared: Model | RawTable, *, rows: int, is_view: bool) -> None:
        made = MadeTable(schema=schema, name=name, declared=declared, rows=rows, is_view=is_view)
        self._descriptions.add(made)
