"""The relations that are published of a resolution: tables as delivered, tables on resolved users, tables of our own.

Here: values for targets to render. Not here: models, and publishing (publication.py), the words (schema/, models/).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from heap_assets.config.model import Configuration
from heap_assets.lake.layers import Layered
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolve import sync_tables
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
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
from heap_assets.schema.value_types import ValueType
from heap_assets.targets.relation import (
    Content,
    FileLayer,
    Files,
    Layers,
    OnResolvedUsers,
    Relation,
    ResolvedFiles,
    Superseded,
    Union,
    WithLabeled,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """The relations of a resolution, and which computed properties their tables cannot have.

    ``about`` is what Heap says of event tables, by their published names.
    """

    storage: Storage
    resolution: Resolution
    configuration: Configuration
    definitions: tuple[Definition, ...]
    about: Mapping[str, str]
    left_out: LeftOut = field(default_factory=LeftOut)

    def as_delivered(self, ledger: Ledger, sync_info: pl.DataFrame) -> Iterator[Relation]:
        """Yield the tables of the schema without migrations."""
        schema, resolution = self.configuration.schema_name, self.resolution
        yield self._frame(schema, SYNC_INFO.kind, sync_info)
        yield self._frame(schema, SYNC_HISTORY.kind, sync_tables.sync_history_table(ledger))
        yield self._frame(schema, QUARANTINE.name, sync_tables.quarantine_table(self.storage, resolution))
        for name in (EVENT_METADATA.kind, DROPPED_TABLES.kind):
            frame = sync_tables.system_table(name, resolution)
            if frame is not None and (frame.width or name != DROPPED_TABLES.kind):
                yield self._frame(schema, name, frame)
        tables = {name: self._files(table) for name, table in sorted(resolution.tables.items())}
        names = resolution.current.names.in_s
        for name, content in tables.items():
            if name not in SYSTEM_TABLES:
                rows = resolution.tables[name].facts.rows
                yield self._relation(schema, names[name], raw_table(name), rows=rows, content=content)
        yield self._all_events(schema, names, migrated=False)

    def on_resolved_users(self) -> Iterator[Relation]:
        """Yield the tables of the schema with migrations."""
        schema, resolution = self.configuration.migrated_schema_name, self.resolution
        identity_map = Files(files=(self._local(resolution.identity_file),))
        rows = len(resolution.identity_map)
        yield self._relation(schema, IDENTITY_MAP.name, IDENTITY_MAP, rows=rows, content=identity_map)
        if resolution.users is not None:
            names = resolution.tables[USERS.kind].current.table_schema.names_in_s()
            users = self.layers(resolution.users, user=names["user_id"])
            content = self._with_labeled("user", USERS.kind, users, self._columns(USERS.kind, names))
            rows = resolution.users.rows
            yield self._relation(schema, USERS.kind, raw_table(USERS.kind), rows=rows, content=content)
        in_migrated = resolution.current.names.in_migrated
        for table in resolution.current.event_like():
            name, published = table.name, in_migrated[table.name]
            recorded = self._files(resolution.tables[name], migrated=True)
            resolved = OnResolvedUsers(recorded=recorded, user_map=self._local(resolution.user_map))
            columns = self._columns(name, recorded.names)
            content = self._with_labeled("event", published, resolved, columns, ours=(ORIGINAL_USER_ID.name,))
            rows = resolution.tables[name].facts.migrated_rows
            yield self._relation(schema, published, raw_table(name), rows=rows, content=content)
        yield self._all_events(schema, in_migrated, migrated=True)

    def layers(self, rows: Layered, *, user: str) -> Layers:
        """Return rows that lie in layers; ``user`` is the column that says whose a row is."""
        return Layers(
            layers=tuple(
                FileLayer(
                    files=tuple(map(self._local, layer.files)),
                    users=None if layer.users is None else self._local(layer.users),
                )
                for layer in rows.layers
            ),
            user=user,
        )

    def _all_events(self, schema: str, names: Mapping[str, str], *, migrated: bool) -> Relation:
        resolution, column_set = self.resolution, self.configuration.all_events_columns
        tables = [resolution.tables[table.name] for table in resolution.current.event_like()]
        reserved = [ORIGINAL_USER_ID.name] if migrated else []
        table_schemas = [table.current.table_schema for table in tables]
        columns = union_columns(table_schemas, column_set=column_set, reserved=reserved)
        content: Content = Union(
            tables={names[table.current.name]: self._files(table, migrated=migrated) for table in tables},
            columns=columns,
            user_map=self._local(resolution.user_map) if migrated else None,
        )
        if migrated and column_set == "all":
            known = {column.name: (column.published, column.type) for column in columns}
            ours = (ORIGINAL_USER_ID.name, EVENT_TABLE_NAME)
            content = self._with_labeled("event", ALL_EVENTS.name, content, known, ours=ours)
        rows = sum(table.facts.migrated_rows if migrated else table.facts.rows for table in tables)
        return self._relation(schema, ALL_EVENTS.name, ALL_EVENTS, rows=rows, content=content)

    def _files(self, table: ResolvedTable, *, migrated: bool = False) -> ResolvedFiles:
        current = table.current
        lost = table.migrated_superseded if migrated else table.superseded
        superseded = Superseded(
            file=self._local(self.resolution.superseded),
            table=current.name,
            of="on_resolved_users" if migrated else "as_recorded",
        )
        return ResolvedFiles(
            table_schema=current.table_schema,
            names=current.table_schema.names_in_migrated() if migrated else current.table_schema.names_in_s(),
            files=tuple(map(self._local, current.paths())),
            alike=current.is_uniform(),
            superseded=superseded if len(lost) else None,
        )

    def _columns(self, table: str, names: Mapping[str, str]) -> Mapping[str, tuple[str, ValueType]]:
        columns = self.resolution.tables[table].current.table_schema.columns
        return {column.name: (names[column.name], column.type) for column in columns}

    def _with_labeled(
        self,
        kind: str,
        table: str,
        rows: Content,
        columns: Mapping[str, tuple[str, ValueType]],
        *,
        ours: tuple[str, ...] = (),
    ) -> WithLabeled:
        """Return rows with the computed properties of this kind, and note those that the table cannot have."""
        found = tuple(definition for definition in self.definitions if definition.kind == kind)
        self.left_out.note(table, found, {name: published for name, (published, _) in columns.items()})
        return WithLabeled(rows=rows, columns=columns, definitions=found, ours=ours)

    def _frame(self, schema: str, name: str, frame: pl.DataFrame) -> Relation:
        declared = MODELS.get(name) or raw_table(name)
        return self._relation(schema, name, declared, rows=frame.height, content=frame)

    def _relation(self, schema: str, name: str, declared: Model | RawTable, *, rows: int, content: Content) -> Relation:
        return described(schema, name, declared, rows=rows, content=content, about=self.about.get(name))

    def _local(self, path: str) -> str:
        return str(self.storage.local_copy(path))


def described(
    schema: str,
    name: str,
    declared: Model | RawTable,
    *,
    rows: int,
    content: Content,
    about: str | None = None,
    small: bool = False,
) -> Relation:
    """Return a relation with what is declared of its table; ``about`` is what Heap says of it, if it does."""
    return Relation(
        schema=schema,
        name=name,
        description=about or declared.description,
        meanings={column.name: column.meaning for column in (*declared.columns, ORIGINAL_USER_ID)},
        rows=rows,
        content=content,
        small=small,
    )
