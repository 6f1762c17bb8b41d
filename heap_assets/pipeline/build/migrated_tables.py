"""The tables on resolved users as the analytics read them: what the views of S_migrated show, scanned by Polars.

The identity map is joined when a table is read, rows that a merge superseded are left out, and labeled properties are
columns like others. A column is found by its published name, without case, as DuckDB finds it; ids and time by their
delivered names. Not here: what is built of the rows (models/).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.labeled import labeled_expr
from heap_assets.expressions.polars.reading import read_column
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.resolve.merged_users import by_merged_user
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
from heap_assets.pipeline.resolve.resolved_state import UsersState
from heap_assets.schema.fingerprint import fingerprint
from heap_assets.schema.heap_tables import USERS
from heap_assets.schema.labeled import Definition
from heap_assets.schema.labeled_columns import labeled_columns
from heap_assets.schema.names import folded
from heap_assets.schema.own_tables import ORIGINAL_USER_ID
from heap_assets.schema.stored_columns import stored_name
from heap_assets.schema.table_schema import TableShape
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms.identity import recorded_users

_USER = stored_name("user_id", ValueType.LONG)
_RESOLVED = "$resolved"
_AT_ONCE = 2
IDS = {"event_id": pl.Int64(), "session_id": pl.Int64(), "time": pl.Datetime("us")}


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedTable:
    """One table: its rows, the expression of each published column, a fingerprint of its data and one for each column.

    ``name`` is the delivered name of the table, ``delivered`` are the columns that Heap delivered, by delivered name;
    ``stored_rows`` counts rows of all users, superseded ones included.
    While the fingerprint of a column stays, a row that stays has the value that it had.
    """

    name: str
    rows: pl.LazyFrame
    values: Mapping[str, pl.Expr]
    delivered: frozenset[str]
    stored_rows: int
    data: str
    rules: Mapping[str, str]

    @property
    def user(self) -> pl.Expr:
        """Return the resolved user (Int64) that a row is of."""
        return self.values["user_id"]

    def rule(self, columns: Iterable[str]) -> str:
        """Return a fingerprint of how these columns, in any case, and the ids and the time come about."""
        wanted = {folded(name) for name in (*columns, "user_id", *IDS)}
        rules = [(name, rule) for name, rule in sorted(self.rules.items()) if folded(name) in wanted]
        return fingerprint(self.name, *rules)

    def column(self, name: str) -> str | None:
        """Return the published name of a column, which may be given in any case; None if there is none."""
        return next((published for published in self.values if folded(published) == folded(name)), None)

    def select(self, columns: Mapping[str, str]) -> pl.LazyFrame:
        """Return user_id, and these columns of the table under the names that they are given for."""
        chosen = {"user_id": "user_id", **columns}
        return self.rows.select(self.values[published].alias(name) for name, published in chosen.items())

    def occurrences(self, ids: Sequence[str], columns: Mapping[str, str] | None = None) -> pl.LazyFrame:
        """Return user_id, these of event_id, session_id and time (null where the table lacks one), these columns."""
        chosen = {"user_id": "user_id", **(columns or {})}
        return self.rows.select(
            *(self.values[published].alias(name) for name, published in chosen.items()),
            *(self._id(name) for name in ids),
        )

    def in_memory(self, columns: Iterable[str]) -> "MigratedTable":
        """Return the table with its rows read, for whoever asks for these columns (in any case), the ids, the time."""
        wanted = {folded(name) for name in (*columns, "user_id", *IDS)}
        read = [name for name in self.values if folded(name) in wanted]
        rows = self.rows.select(self.values[name].alias(name) for name in read).collect(engine="streaming")
        there = {name: cs.by_name(name).as_expr() for name in read}
        return replace(self, rows=rows.lazy(), values={**self.values, **there})

    def _id(self, name: str) -> pl.Expr:
        value = self.values[name] if name in self.delivered else pl.lit(None, dtype=IDS[name])
        return value.alias(name)


@dataclass(frozen=True, slots=True)
class MigratedTables:
    """Sessions, pageviews and event tables by published name, and the users; ``rows`` counts those of all tables."""

    events: Mapping[str, MigratedTable]
    users: MigratedTable | None
    rows: int

    def with_rows(self, rows: Mapping[str, pl.LazyFrame], users: pl.LazyFrame | None) -> "MigratedTables":
        """Return them with these rows of event tables, by published name, and these of users, where there are any."""
        events = {name: replace(table, rows=rows.get(name, table.rows)) for name, table in self.events.items()}
        merged = self.users if self.users is None or users is None else replace(self.users, rows=users)
        return replace(self, events=events, users=merged)

    def in_memory(self, columns: Mapping[str, Iterable[str]]) -> "MigratedTables":
        """Return them with the rows of these tables read once, for whoever asks for these columns of them."""
        names = sorted(
            (name for name in self.events if name in columns), key=lambda name: -self.events[name].stored_rows
        )
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # small files cost waiting, not computing
            read = pool.map(lambda name: self.events[name].in_memory(columns[name]), names)
            return replace(self, events={**self.events, **dict(zip(names, read, strict=True))})


NO_TABLES = MigratedTables({}, None, 0)


def migrated_tables(storage: Storage, resolution: Resolution, definitions: Sequence[Definition]) -> MigratedTables:
    """Return the tables of a resolution, with the labeled properties of these definitions."""
    names = resolution.current.names.in_migrated
    of = {kind: [one for one in definitions if one.kind == kind] for kind in ("event", "user")}
    identity = _joined(resolution.identity_map)
    events = {
        names[table.name]: _event_table(resolution.tables[table.name], identity, of["event"], resolution.merges)
        for table in resolution.current.event_like()
    }
    users = None
    if resolution.users is not None:
        table = resolution.tables[USERS.kind]
        users = _users(table, _user_rows(storage, table, resolution.users), of["user"], resolution.merges)
    rows = sum(resolution.tables[table.name].facts.migrated_rows for table in resolution.current.event_like())
    return MigratedTables(events, users, rows)


def tables_of_users(
    tables: MigratedTables, users: pl.DataFrame, *, storage: Storage, resolution: Resolution
) -> MigratedTables:
    """Return these tables of a resolution with the rows of these resolved users (user_id) alone.

    Whose a row is is decided before a join, so that the rest of a row is not decoded for anybody else; and the join is
    with the merges of these users alone, for each table makes a hash table of them.
    """
    recorded = recorded_users(users, resolution.identity_map)
    identity = _joined(resolution.identity_map.filter(pl.col("user_id").is_in(recorded.implode())))
    events = {
        name: replace(table, rows=_event_rows(resolution.tables[table.name], identity, recorded))
        for name, table in tables.events.items()
    }
    merged = tables.users
    if merged is not None and resolution.users is not None:
        rows = _user_rows(storage, resolution.tables[USERS.kind], resolution.users, only=users)
        merged = replace(merged, rows=rows)
    return replace(tables, events=events, users=merged)


def _joined(identity_map: pl.DataFrame) -> pl.LazyFrame:
    return identity_map.rename({"user_id": _USER, "resolved_user_id": _RESOLVED}).lazy()


def _event_rows(table: ResolvedTable, identity: pl.LazyFrame, recorded: pl.Series | None) -> pl.LazyFrame:
    return table.current.kept(table.migrated_superseded, of_users=recorded).join(identity, on=_USER, how="left")


def _user_rows(
    storage: Storage, users: ResolvedTable, merged: UsersState, *, only: pl.DataFrame | None = None
) -> pl.LazyFrame:
    return by_merged_user(users.current.shape).live(storage, merged.layers, users=only)


def _event_table(
    table: ResolvedTable, identity: pl.LazyFrame, definitions: Sequence[Definition], merges: Sequence[str]
) -> MigratedTable:
    shape = table.current.shape
    read = {column.name: read_column(column) for column in shape.columns}
    read["user_id"] = pl.coalesce(_RESOLVED, _USER)
    names = shape.names_in_migrated()
    values = {names[delivered]: expression for delivered, expression in read.items()}
    values[ORIGINAL_USER_ID.name] = pl.col(_USER)
    values |= _labeled(shape, definitions, names, read.__getitem__, ours=[ORIGINAL_USER_ID.name])
    return MigratedTable(
        name=table.current.name,
        rows=_event_rows(table, identity, None),
        values=values,
        delivered=frozenset(read),
        stored_rows=table.current.stored_rows(),
        data=fingerprint(table.current.covers(), tuple(merges)),
        rules=_rules(shape, names, values, definitions),
    )


def _users(
    table: ResolvedTable, rows: pl.LazyFrame, definitions: Sequence[Definition], merges: Sequence[str]
) -> MigratedTable:
    shape = table.current.shape
    names = shape.names_in_s()
    read = {delivered: cs.by_name(published).as_expr() for delivered, published in names.items()}
    values = {names[column.name]: read[column.name] for column in shape.columns}
    values |= _labeled(shape, definitions, names, read.__getitem__)
    return MigratedTable(
        name=table.current.name,
        rows=rows,
        values=values,
        delivered=frozenset(read),
        stored_rows=table.current.stored_rows(),
        data=fingerprint(table.current.covers(), tuple(merges)),
        rules=_rules(shape, names, values, definitions),
    )


def _labeled(
    shape: TableShape,
    definitions: Sequence[Definition],
    names: Mapping[str, str],
    reference: Callable[[str], pl.Expr],
    *,
    ours: Sequence[str] = (),
) -> dict[str, pl.Expr]:
    types = {column.name: column.type.polars for column in shape.columns}
    return {
        published: labeled_expr(definition, types, reference=reference)
        for published, definition in labeled_columns(definitions, names, ours=ours).items()
    }


def _rules(
    shape: TableShape, names: Mapping[str, str], values: Mapping[str, pl.Expr], definitions: Sequence[Definition]
) -> dict[str, str]:
    """Return a fingerprint of each published column: of a delivered one its types, of a computed one all there is."""
    delivered = {names[column.name]: fingerprint(column) for column in shape.columns}
    computed = fingerprint(shape, sorted(names.items()), tuple(definitions))
    return {published: delivered.get(published, computed) for published in values}
