"""Resolution: who is whom, and which rows count, with and without migrations.

The wide rows are never rewritten. What changes with a dump is small: the rows whose event, session or user stands more
than once (overlaps), the identity map, the merged users. Overlaps follow from the new deliveries alone while older ones
stay; anything else is computed anew. Here: from the current tables to what a reader needs to see them resolved.
Not here: the DuckDB file (publication.py). State lies in ``resolved.json`` and the Parquet files that it names.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from pydantic import TypeAdapter

from heap_assets.catalog import USER_MIGRATIONS, USERS
from heap_assets.columns import ROW_ID, ValueType, stored_name
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.current import CurrentTable, CurrentTables
from heap_assets.transforms import overlaps
from heap_assets.transforms.identity import identity_map
from heap_assets.transforms.overlaps import ENTITY, KEY_COLUMNS
from heap_assets.transforms.users import migrated_users

_PATH = "resolved.json"
_NO_ROWS = pl.Series(dtype=pl.Int64)
_KEY_SCHEMA = {column: pl.Int64() for column in KEY_COLUMNS} | {overlaps.NEWEST_BY: pl.Datetime("us")}
_NO_MIGRATIONS = pl.DataFrame(schema={"from_user_id": pl.Int64(), "to_user_id": pl.Int64(), "time": pl.Datetime("us")})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """What the rows of a table say in sum; times UTC without zone."""

    rows: int = 0
    migrated_rows: int = 0
    merged_rows: int = 0
    quarantined_rows: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None
    synced_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """What was computed of a table, and from which deliveries."""

    covers: tuple[str, ...]
    overlaps: str | None
    facts: TableFacts
    facts_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedState:
    """What a resolution leaves for the next."""

    tables: Mapping[str, TableState] = field(default_factory=dict)
    migrations: tuple[str, ...] = ()
    users: str | None = None
    users_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTable:
    """A table, and the rows of it that do not count: without migrations, and with them."""

    current: CurrentTable
    superseded: pl.Series
    migrated_superseded: pl.Series
    facts: TableFacts
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every table resolved; ``users`` is the path of the merged users' Parquet file, None without users."""

    current: CurrentTables
    tables: Mapping[str, ResolvedTable]
    identity_map: pl.DataFrame
    identity_changed: bool
    users: str | None
    users_rows: int


_STATE = TypeAdapter(ResolvedState)


def resolve(storage: Storage, current: CurrentTables, *, rebuild: bool = False) -> Resolution:
    """Return the tables resolved; with ``rebuild`` nothing that an earlier run computed is used."""
    return _Resolving(storage, current, ResolvedState() if rebuild else read_state(storage)).all()


def read_state(storage: Storage) -> ResolvedState:
    """Return what the last resolution left."""
    content = storage.read(_PATH)
    return ResolvedState() if content is None else _STATE.validate_json(content)


class _Resolving:
    def __init__(self, storage: Storage, current: CurrentTables, before: ResolvedState) -> None:
        self._storage, self._current, self._before = storage, current, before

    def all(self) -> Resolution:
        migrations = self._current.tables.get(USER_MIGRATIONS.kind)
        covers = () if migrations is None else migrations.covers()
        known = identity_map(migration_rows(migrations))
        changed = covers != self._before.migrations or not self._before.tables
        tables, states = {}, {}
        for name, table in self._current.tables.items():
            tables[name], states[name] = self._table(table, known, covers)
        users, users_of = self._users(tables.get(USERS.kind), known, covers)
        state = ResolvedState(tables=states, migrations=covers, users=users, users_of=users_of)
        if state != self._before:
            self._storage.write(_PATH, _STATE.dump_json(state))
        return Resolution(
            current=self._current,
            tables=tables,
            identity_map=known,
            identity_changed=changed,
            users=users,
            users_rows=0 if users is None else _height(self._storage, users),
        )

    def _table(
        self, table: CurrentTable, known: pl.DataFrame, migrations: tuple[str, ...]
    ) -> tuple[ResolvedTable, TableState]:
        before = self._before.tables.get(table.name)
        covers = table.covers()
        path = None
        superseded = migrated = _NO_ROWS
        if table.table.key:
            keys, path = self._overlaps(table, before, covers)
            superseded = overlaps.superseded(keys)
            migrated = overlaps.superseded(overlaps.resolved_owners(keys, known)) if len(keys) else superseded
        facts_of = repr((covers, migrations, table.last_listed.dump.modified))
        facts = before.facts if before and before.facts_of == facts_of else _facts(table, superseded, migrated, known)
        state = TableState(covers=covers, overlaps=path, facts=facts, facts_of=facts_of)
        resolved = ResolvedTable(
            current=table,
            superseded=superseded,
            migrated_superseded=migrated,
            facts=facts,
            changed=before is None or before.facts_of != facts_of,
        )
        return resolved, state

    def _overlaps(
        self, table: CurrentTable, before: TableState | None, covers: tuple[str, ...]
    ) -> tuple[pl.DataFrame, str | None]:
        """Return the rows whose entity stands more than once, and where they are kept."""
        known, path = pl.DataFrame(schema=_KEY_SCHEMA), None
        grown = before is not None and set(before.covers) <= set(covers)
        if before is not None and before.overlaps is not None and grown:
            known, path = pl.read_parquet(self._storage.local_copy(before.overlaps), glob=False), before.overlaps
        if before is not None and before.covers == covers:
            return known, path
        if before is None or not grown:
            found = _all_overlaps(table)
        else:
            found = _overlaps_with(table, known, set(covers) - set(before.covers))
        if path is not None and found.equals(known):
            return known, path
        return found, self._kept(found, table.name) if len(found) else None

    def _users(
        self, users: ResolvedTable | None, known: pl.DataFrame, migrations: tuple[str, ...]
    ) -> tuple[str | None, str]:
        if users is None:
            return None, ""
        of = repr((users.current.covers(), users.current.shape, migrations))
        if self._before.users is not None and self._before.users_of == of:
            return self._before.users, of
        rows = users.current.rows(users.superseded).collect(engine="streaming")
        published = migrated_users(rows, known).rename(users.current.shape.names_in_s())  # DuckDB cannot tell a from A
        return self._kept(published, USERS.kind), of

    def _kept(self, frame: pl.DataFrame, name: str) -> str:
        path = f"resolved/{uuid.uuid4().hex}.parquet"
        file = self._storage.new_file(path)
        frame.write_parquet(file, metadata={"heap_assets.table": name})
        self._storage.keep(file, path)
        return path


def migration_rows(table: CurrentTable | None) -> pl.DataFrame:
    """Return all rows of the current delivery, duplicates included: the identity rule chooses among them."""
    if table is None:
        return _NO_MIGRATIONS
    rows = table.rows(_NO_ROWS)
    if table.shape.column("time") is None:
        rows = rows.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("time"))
    return rows.select("from_user_id", "to_user_id", "time").collect()


def _all_overlaps(table: CurrentTable) -> pl.DataFrame:
    keys = overlaps.keys(table.stored(), table.table)
    repeated = overlaps.repeated_entities(keys.select(ENTITY).collect(engine="streaming"))
    return _rows_of(keys, repeated)


def _overlaps_with(table: CurrentTable, known: pl.DataFrame, new: set[str]) -> pl.DataFrame:
    """Return the overlaps after new deliveries: only what shares an entity with a new row can have changed."""
    files = table.files_of(new)
    keys = overlaps.keys(table.stored(), table.table)
    arrived = overlaps.keys(table.stored(files=files), table.table).select(ENTITY).collect(engine="streaming")
    touched = keys.select(ENTITY).join(arrived.unique().lazy(), on=ENTITY, how="semi").collect(engine="streaming")
    found = _rows_of(keys, overlaps.repeated_entities(touched))
    return pl.concat([known, found]).unique(ROW_ID).sort(ROW_ID)


def _rows_of(keys: pl.LazyFrame, entities: pl.DataFrame) -> pl.DataFrame:
    if not len(entities):
        return pl.DataFrame(schema=_KEY_SCHEMA)
    found = keys.join(entities.lazy(), on=ENTITY, how="semi").collect(engine="streaming")
    return found.sort(ROW_ID).cast(_KEY_SCHEMA)  # type: ignore[arg-type]


def _facts(
    table: CurrentTable, superseded: pl.Series, migrated_superseded: pl.Series, known: pl.DataFrame
) -> TableFacts:
    """Sum a table up in one scan of two narrow columns."""
    time = pl.col(stored_name(table.table.newest_by, ValueType.TIME))
    ended = table.last_listed.dump.modified.replace(tzinfo=None)
    rows = table.kept(superseded)
    merged = pl.lit(0, dtype=pl.Int64)
    if table.table.is_event_like or table.table is USERS:
        users = pl.col(stored_name("user_id", ValueType.LONG))
        merged = users.is_in(known["user_id"].implode()).sum().cast(pl.Int64)
    found = rows.select(
        rows=pl.len().cast(pl.Int64),
        merged_rows=merged,
        first_time=time.min(),
        last_time=time.max(),
        synced_to=time.filter(time <= ended).max(),
    ).collect(engine="streaming")
    facts = found.row(0, named=True)
    lost = len(migrated_superseded) - len(superseded)
    delivered = sum(file.rows for file in table.files)
    return TableFacts(
        **facts,
        migrated_rows=facts["rows"] - lost,
        quarantined_rows=delivered - facts["rows"] - len(superseded) if table.shape.unkeyed else 0,
    )


def _height(storage: Storage, path: str) -> int:
    return int(pl.scan_parquet(storage.local_copy(path), glob=False).select(pl.len()).collect().item())
