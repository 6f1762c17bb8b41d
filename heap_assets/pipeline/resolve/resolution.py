"""Resolution: who is whom, and which rows count, with and without migrations.

The wide rows are never rewritten. What changes with a dump is small: the rows whose event, session or user stands more
than once (duplicates), the identity map, the merged users. Each follows from what came while older deliveries stay.
Here: from the current tables to what a reader needs to see them resolved. Not here: the steps (identity.py,
table_duplicates.py, user_rows.py, merged_users.py, user_map.py, superseded.py), what is remembered (resolved_state.py),
the DuckDB file (publish/publication.py).
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.limits import Limits
from heap_assets.pipeline.resolve.current_tables import CurrentTable, CurrentTables
from heap_assets.pipeline.resolve.identity import Identity, identity
from heap_assets.pipeline.resolve.merged_users import merged_users
from heap_assets.pipeline.resolve.resolved_state import (
    ResolvedState,
    TableState,
    UserMapState,
    UsersState,
    read_state,
    write_state,
)
from heap_assets.pipeline.resolve.superseded import superseded_rows
from heap_assets.pipeline.resolve.table_duplicates import TableDuplicates, table_duplicates
from heap_assets.pipeline.resolve.table_facts import TableFacts, table_facts
from heap_assets.pipeline.resolve.user_map import user_map
from heap_assets.schema.heap_tables import USER_MIGRATIONS, USERS

_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTable:
    """A table, and the rows of it that do not count: without migrations, and with them.

    ``since`` are the deliveries that were there before, ``duplicates`` has what came since, if that was found just now.
    """

    current: CurrentTable
    duplicates: TableDuplicates
    superseded: pl.Series
    migrated_superseded: pl.Series
    facts: TableFacts
    changed: bool
    since: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every table resolved; ``users`` are the merged users in layers, None without users.

    ``user_map`` is the path of the file that says whom each recorded user is resolved to, ``superseded`` of the one
    that names the rows of all tables that do not count;
    ``merges`` are the deliveries that the identity map follows from, ``identity_file`` is where the lake keeps it;
    ``remapped`` are the users who resolve otherwise than in the map of the file ``remapped_since`` (remapped_users).
    """

    current: CurrentTables
    tables: Mapping[str, ResolvedTable]
    identity_map: pl.DataFrame
    identity_file: str
    identity_changed: bool
    remapped: pl.DataFrame
    remapped_since: str | None
    merges: tuple[str, ...]
    users: UsersState | None
    user_map: str
    superseded: str


def resolve(storage: Storage, current: CurrentTables, limits: Limits, *, rebuild: bool = False) -> Resolution:
    """Return the tables resolved; with ``rebuild`` nothing that an earlier run computed is used."""
    before = ResolvedState() if rebuild else read_state(storage)
    return _Resolving(storage, current, before, limits).all()


class _Resolving:
    """One resolution: who is whom is found while the keys of the tables are read."""

    def __init__(self, storage: Storage, current: CurrentTables, before: ResolvedState, limits: Limits) -> None:
        self._storage, self._current, self._before, self._limits = storage, current, before, limits
        self._migrations = current.tables.get(USER_MIGRATIONS.kind)
        self._merges = () if self._migrations is None else self._migrations.deliveries()

    def all(self) -> Resolution:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            identity_found = pool.submit(identity, self._storage, self._migrations, self._before.identity_map)
            largest_first = sorted(self._current.tables.values(), key=CurrentTable.stored_rows, reverse=True)
            resolved = pool.map(lambda table: self._table(table, identity_found.result), largest_first)
            found = dict(zip((table.name for table in largest_first), resolved, strict=True))
            tables = {name: found[name][0] for name in self._current.tables}
            states = {name: found[name][1] for name in self._current.tables}
            known = identity_found.result()
            users_merged = pool.submit(self._users, tables.get(USERS.kind), known)
            duplicates = {name: table.duplicates for name, table in tables.items()}
            lost = pool.submit(superseded_rows, self._storage, duplicates, self._before.superseded)
            user_map_state = self._user_map(tables, known)
            users = users_merged.result()
        state = ResolvedState(
            tables=states,
            merges=self._merges,
            identity_map=known.file,
            users=users,
            user_map=user_map_state,
            superseded=lost.result(),
        )
        if state != self._before:
            write_state(self._storage, state)
        return Resolution(
            current=self._current,
            tables=tables,
            identity_map=known.map,
            identity_file=known.file,
            identity_changed=self._merges != self._before.merges or not self._before.tables,
            remapped=known.remapped,
            remapped_since=self._before.identity_map,
            merges=self._merges,
            users=users,
            user_map=user_map_state.path,
            superseded=lost.result().path,
        )

    def _table(self, table: CurrentTable, known: Callable[[], Identity]) -> tuple[ResolvedTable, TableState]:
        before = self._before.tables.get(table.name)
        found = table_duplicates(self._storage, table, before, known, self._limits)
        facts_of = repr((table.deliveries(), self._merges, table.last_listed.dump.modified))
        same = before is not None and before.facts_of == facts_of
        facts = before.facts if before is not None and same else table_facts(table, found.sums, found.with_duplicates)
        resolved = ResolvedTable(
            current=table,
            duplicates=found,
            superseded=found.superseded(),
            migrated_superseded=found.superseded_when_merged(),
            facts=facts,
            changed=not same,
            since=frozenset(() if before is None else before.deliveries),
        )
        state = TableState(
            deliveries=table.deliveries(),
            duplicates=found.path,
            user_rows=found.user_rows,
            sums=found.sums,
            facts=facts,
            facts_of=facts_of,
        )
        return resolved, state

    def _users(self, users: ResolvedTable | None, known: Identity) -> UsersState | None:
        if users is None:
            return None
        return merged_users(
            self._storage,
            users.current,
            users.duplicates,
            self._before.users,
            identity_map=known.map,
            remapped=known.remapped,
            merges=self._merges,
            limits=self._limits.layers,
        )

    def _user_map(self, tables: Mapping[str, ResolvedTable], known: Identity) -> UserMapState:
        user_rows = [file for table in self._current.event_like() for file in tables[table.name].duplicates.user_rows]
        before = self._before.user_map
        return user_map(self._storage, user_rows, before, identity_map=known.map, remapped=known.remapped)
