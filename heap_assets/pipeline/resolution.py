"""Resolution: who is whom, and which rows count, with and without migrations.

The wide rows are never rewritten. What changes with a dump is small: the rows whose event, session or user stands more
than once (overlaps), the identity map, the merged users. Overlaps follow from the new deliveries alone while older ones
stay; anything else is computed anew. Here: from the current tables to what a reader needs to see them resolved.
Not here: the DuckDB file (publication.py). State lies in ``resolved.json`` and the Parquet files that it names.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl
from pydantic import TypeAdapter

from heap_assets.catalog import USER_MIGRATIONS, USERS
from heap_assets.columns import ROW_ID
from heap_assets.lake.kept_rows import kept_rows
from heap_assets.lake.memory import Memory
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.current import CurrentTable, CurrentTables
from heap_assets.pipeline.table_facts import (
    Superseded,
    TableFacts,
    TableSums,
    grown_sums,
    summing,
    table_facts,
    table_sums,
)
from heap_assets.transforms import overlaps
from heap_assets.transforms.identity import identity_map
from heap_assets.transforms.overlaps import ENTITY, KEY_COLUMNS
from heap_assets.transforms.users import migrated_users

_AT_ONCE = 2
_NO_ROWS = pl.Series(dtype=pl.Int64)
_KEY_SCHEMA = {column: pl.Int64() for column in KEY_COLUMNS} | {overlaps.NEWEST_BY: pl.Datetime("us")}
_NO_MIGRATIONS = pl.DataFrame(schema={"from_user_id": pl.Int64(), "to_user_id": pl.Int64(), "time": pl.Datetime("us")})


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """What was computed of a table, and from which deliveries."""

    covers: tuple[str, ...]
    overlaps: str | None
    sums: TableSums
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
    """A table, and the rows of it that do not count: without migrations, and with them.

    ``touched`` is the key frame of what came and of all that shares an entity with it, if that was found just now;
    ``since`` are the deliveries that were there before.
    """

    current: CurrentTable
    superseded: pl.Series
    migrated_superseded: pl.Series
    facts: TableFacts
    changed: bool
    touched: pl.DataFrame | None = None
    since: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every table resolved; ``users`` is the path of the merged users' Parquet file, None without users.

    ``merges`` are the deliveries that the identity map follows from.
    """

    current: CurrentTables
    tables: Mapping[str, ResolvedTable]
    identity_map: pl.DataFrame
    identity_changed: bool
    merges: tuple[str, ...]
    users: str | None
    users_rows: int


_MEMORY = Memory("resolved.json", TypeAdapter(ResolvedState), without=ResolvedState())


def resolve(storage: Storage, current: CurrentTables, *, rebuild: bool = False) -> Resolution:
    """Return the tables resolved; with ``rebuild`` nothing that an earlier run computed is used."""
    return _Resolving(storage, current, ResolvedState() if rebuild else read_state(storage)).all()


def read_state(storage: Storage) -> ResolvedState:
    """Return what the last resolution left."""
    return _MEMORY.read(storage)


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """The rows whose entity stands more than once, where they are kept, sums; what was touched (ResolvedTable)."""

    keys: pl.DataFrame
    path: str | None
    sums: TableSums
    touched: pl.DataFrame | None = None


class _Resolving:
    def __init__(self, storage: Storage, current: CurrentTables, before: ResolvedState) -> None:
        self._storage, self._current, self._before = storage, current, before

    def all(self) -> Resolution:
        migrations = self._current.tables.get(USER_MIGRATIONS.kind)
        covers = () if migrations is None else migrations.covers()
        known = identity_map(migration_rows(migrations))
        changed = covers != self._before.migrations or not self._before.tables
        tables, states = {}, {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(lambda table: self._table(table, known, covers), self._current.tables.values())
            for resolved, table_state in found:
                tables[resolved.current.name], states[resolved.current.name] = resolved, table_state
        users, users_of = self._users(tables.get(USERS.kind), known, covers)
        state = ResolvedState(tables=states, migrations=covers, users=users, users_of=users_of)
        if state != self._before:
            _MEMORY.write(self._storage, state)
        return Resolution(
            current=self._current,
            tables=tables,
            identity_map=known,
            identity_changed=changed,
            merges=covers,
            users=users,
            users_rows=0 if users is None else _height(self._storage, users),
        )

    def _table(
        self, table: CurrentTable, known: pl.DataFrame, migrations: tuple[str, ...]
    ) -> tuple[ResolvedTable, TableState]:
        before = self._before.tables.get(table.name)
        covers = table.covers()
        facts_of = repr((covers, migrations, table.last_listed.dump.modified))
        found = self._overlaps(table, before)
        keys, sums = found.keys, found.sums
        superseded = overlaps.superseded(keys)
        migrated = overlaps.superseded_when_merged(keys, superseded, known)
        if before is not None and before.facts_of == facts_of:
            facts = before.facts
        else:
            facts = table_facts(table, sums, keys, Superseded(superseded, migrated), known)
        state = TableState(covers=covers, overlaps=found.path, sums=sums, facts=facts, facts_of=facts_of)
        resolved = ResolvedTable(
            current=table,
            superseded=superseded,
            migrated_superseded=migrated,
            facts=facts,
            changed=before is None or before.facts_of != facts_of,
            touched=found.touched,
            since=frozenset(before.covers) if before is not None else frozenset(),
        )
        return resolved, state

    def _overlaps(self, table: CurrentTable, before: TableState | None) -> "_Overlaps":
        covers = set(table.covers())
        if before is None or not set(before.covers) <= covers:
            keys, sums = _all_overlaps(table)
            return _Overlaps(keys, self._kept(keys, table.name) if len(keys) else None, sums)
        known, path = pl.DataFrame(schema=_KEY_SCHEMA), before.overlaps
        if path is not None:
            known = pl.read_parquet(self._storage.local_copy(path), glob=False)
        new = covers - set(before.covers)
        if not table.table.key or not new:
            return _Overlaps(known, path, grown_sums(table, before.sums))
        arrived = overlaps.keys(table.stored(new), table.table).collect(engine="streaming")
        met = table.keys_of(arrived[ENTITY].unique(), set(before.covers))
        touched = pl.concat([met, arrived])
        sums = grown_sums(table, before.sums, arrived)
        keys = _overlaps_with(known, touched)
        if keys.equals(known):
            return _Overlaps(known, path, sums, touched)
        return _Overlaps(keys, self._kept(keys, table.name), sums, touched)

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
        return kept_rows(self._storage, "resolved", frame, about=name).path


def migration_rows(table: CurrentTable | None) -> pl.DataFrame:
    """Return all rows of the current delivery, duplicates included: the identity rule chooses among them."""
    if table is None:
        return _NO_MIGRATIONS
    rows = table.rows(_NO_ROWS)
    if table.shape.column("time") is None:
        rows = rows.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("time"))
    return rows.select("from_user_id", "to_user_id", "time").collect()


def _all_overlaps(table: CurrentTable) -> tuple[pl.DataFrame, TableSums]:
    """Return the overlaps and the sums from one pass: decoding the keys is what costs."""
    if not table.table.key:
        return pl.DataFrame(schema=_KEY_SCHEMA), grown_sums(table, None)
    keys = overlaps.keys(table.stored(), table.table)
    entities, summed = pl.collect_all([keys.select(ENTITY), summing(table, keys)], engine="streaming")
    repeated = overlaps.repeated_entities(entities)[ENTITY]
    touched = table.keys_of(repeated) if len(repeated) else pl.DataFrame(schema=_KEY_SCHEMA)
    return touched.cast(_KEY_SCHEMA).sort(ROW_ID), table_sums(table, summed)  # type: ignore[arg-type]


def _overlaps_with(known: pl.DataFrame, touched: pl.DataFrame) -> pl.DataFrame:
    """Return the overlaps after new deliveries: only what shares an entity with a new row can have changed."""
    found = touched.filter(pl.col(ENTITY).is_duplicated()).cast(_KEY_SCHEMA)  # type: ignore[arg-type]
    return pl.concat([known, found]).unique(ROW_ID).sort(ROW_ID)


def _height(storage: Storage, path: str) -> int:
    return int(pl.scan_parquet(storage.local_copy(path), glob=False).select(pl.len()).collect().item())
