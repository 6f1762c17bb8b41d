"""Resolution: who is whom, and which rows count, with and without migrations.

The wide rows are never rewritten. What changes with a dump is small: the rows whose event, session or user stands more
than once (overlaps), the identity map, the merged users. Each follows from what came while older deliveries stay.
Here: from the current tables to what a reader needs to see them resolved. Not here: the steps (table_overlaps.py,
user_rows.py, merged_users.py, everybody.py), what is remembered (resolved_state.py), the DuckDB file (publication.py).
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from heap_assets.catalog import USER_MIGRATIONS, USERS
from heap_assets.lake.kept_rows import kept_rows
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.current import CurrentTable, CurrentTables
from heap_assets.pipeline.everybody import everybody
from heap_assets.pipeline.merged_users import merged_users
from heap_assets.pipeline.resolved_state import (
    EverybodyState,
    ResolvedState,
    TableState,
    UsersState,
    read_state,
    write_state,
)
from heap_assets.pipeline.table_facts import TableFacts, table_facts
from heap_assets.pipeline.table_overlaps import TableOverlaps, table_overlaps
from heap_assets.transforms.identity import identity_map, moved_users

_AT_ONCE = 2
_NO_ROWS = pl.Series(dtype=pl.Int64)
_NO_MIGRATIONS = pl.DataFrame(schema={"from_user_id": pl.Int64(), "to_user_id": pl.Int64(), "time": pl.Datetime("us")})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTable:
    """A table, and the rows of it that do not count: without migrations, and with them.

    ``since`` are the deliveries that were there before, ``overlaps`` has what came since, if that was found just now.
    """

    current: CurrentTable
    overlaps: TableOverlaps
    superseded: pl.Series
    migrated_superseded: pl.Series
    facts: TableFacts
    changed: bool
    since: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Every table resolved; ``users`` are the merged users in layers, None without users.

    ``everybody`` is the path of the file that says whom each recorded user is resolved to;
    ``merges`` are the deliveries that the identity map follows from, ``identity_file`` is where the lake keeps it;
    ``moved`` are the users who resolve otherwise than in the map of the file ``moved_since`` (moved_users).
    """

    current: CurrentTables
    tables: Mapping[str, ResolvedTable]
    identity_map: pl.DataFrame
    identity_file: str
    identity_changed: bool
    moved: pl.DataFrame
    moved_since: str | None
    merges: tuple[str, ...]
    users: UsersState | None
    everybody: str


def resolve(storage: Storage, current: CurrentTables, *, rebuild: bool = False) -> Resolution:
    """Return the tables resolved; with ``rebuild`` nothing that an earlier run computed is used."""
    return _Resolving(storage, current, ResolvedState() if rebuild else read_state(storage)).all()


class _Resolving:
    """``_known`` is the identity map, ``_moved`` the users who resolve otherwise than before (moved_users)."""

    def __init__(self, storage: Storage, current: CurrentTables, before: ResolvedState) -> None:
        self._storage, self._current, self._before = storage, current, before
        migrations = current.tables.get(USER_MIGRATIONS.kind)
        self._merges = () if migrations is None else migrations.covers()
        self._known = identity_map(migration_rows(migrations))
        was = self._known.clear()
        if before.identity_map is not None:
            was = pl.read_parquet(storage.local_copy(before.identity_map), glob=False)
        self._moved = moved_users(was, self._known)
        self._same_map = before.identity_map is not None and was.equals(self._known)

    def all(self) -> Resolution:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            largest_first = sorted(self._current.tables.values(), key=CurrentTable.stored_rows, reverse=True)
            found = dict(
                zip((table.name for table in largest_first), pool.map(self._table, largest_first), strict=True)
            )
        tables = {name: found[name][0] for name in self._current.tables}
        states = {name: found[name][1] for name in self._current.tables}
        users = self._users(tables.get(USERS.kind))
        everybody_known = self._everybody(tables)
        state = ResolvedState(
            tables=states,
            merges=self._merges,
            identity_map=self._identity_file(),
            users=users,
            everybody=everybody_known,
        )
        if state != self._before:
            write_state(self._storage, state)
        return Resolution(
            current=self._current,
            tables=tables,
            identity_map=self._known,
            identity_file=state.identity_map or "",
            identity_changed=self._merges != self._before.merges or not self._before.tables,
            moved=self._moved,
            moved_since=self._before.identity_map,
            merges=self._merges,
            users=users,
            everybody=everybody_known.path,
        )

    def _table(self, table: CurrentTable) -> tuple[ResolvedTable, TableState]:
        before = self._before.tables.get(table.name)
        found = table_overlaps(self._storage, table, before, identity_map=self._known, moved=self._moved["user_id"])
        facts_of = repr((table.covers(), self._merges, table.last_listed.dump.modified))
        same = before is not None and before.facts_of == facts_of
        facts = before.facts if before is not None and same else table_facts(table, found.sums, found.settled)
        resolved = ResolvedTable(
            current=table,
            overlaps=found,
            superseded=found.superseded(),
            migrated_superseded=found.superseded_when_merged(),
            facts=facts,
            changed=not same,
            since=frozenset(() if before is None else before.covers),
        )
        state = TableState(
            covers=table.covers(),
            overlaps=found.path,
            user_rows=found.user_rows,
            sums=found.sums,
            facts=facts,
            facts_of=facts_of,
        )
        return resolved, state

    def _users(self, users: ResolvedTable | None) -> UsersState | None:
        if users is None:
            return None
        return merged_users(
            self._storage,
            users.current,
            users.overlaps,
            self._before.users,
            identity_map=self._known,
            moved=self._moved,
            merges=self._merges,
        )

    def _everybody(self, tables: Mapping[str, ResolvedTable]) -> EverybodyState:
        user_rows = [file for table in self._current.event_like() for file in tables[table.name].overlaps.user_rows]
        return everybody(self._storage, user_rows, self._before.everybody, identity_map=self._known, moved=self._moved)

    def _identity_file(self) -> str:
        if self._same_map and self._before.identity_map is not None:
            return self._before.identity_map
        return kept_rows(self._storage, "resolved", self._known, about="identity_map").path


def migration_rows(table: CurrentTable | None) -> pl.DataFrame:
    """Return all rows of the current delivery, duplicates included: the identity rule chooses among them."""
    if table is None:
        return _NO_MIGRATIONS
    rows = table.rows(_NO_ROWS)
    if table.shape.column("time") is None:
        rows = rows.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("time"))
    return rows.select("from_user_id", "to_user_id", "time").collect()
