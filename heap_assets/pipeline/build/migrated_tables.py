"""The tables on resolved users as the analytics read them: what the views of S_migrated show, scanned by Polars.

The identity map is joined when a table is read, rows that a merge superseded are left out, and labeled properties are
columns like others. Not here: what such a table can be asked (migrated_table.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.labeled import labeled_expr
from heap_assets.expressions.polars.reading import read_column
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.migrated_table import MigratedTable, MigratedTables
from heap_assets.pipeline.resolve.merged_users import by_merged_user
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
from heap_assets.pipeline.resolve.resolved_state import UsersState
from heap_assets.schema.fingerprint import fingerprint
from heap_assets.schema.heap_tables import USERS
from heap_assets.schema.labeled import Definition
from heap_assets.schema.labeled_columns import labeled_columns
from heap_assets.schema.own_tables import ORIGINAL_USER_ID
from heap_assets.schema.stored_columns import stored_name
from heap_assets.schema.table_schema import TableSchema
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms.identity import recorded_users

_USER = stored_name("user_id", ValueType.LONG)
_RESOLVED = "$resolved"


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
    return by_merged_user(users.current.table_schema).live(storage, merged.layers, users=only)


def _event_table(
    table: ResolvedTable, identity: pl.LazyFrame, definitions: Sequence[Definition], merges: Sequence[str]
) -> MigratedTable:
    table_schema = table.current.table_schema
    read = {column.name: read_column(column) for column in table_schema.columns}
    read["user_id"] = pl.coalesce(_RESOLVED, _USER)
    names = table_schema.names_in_migrated()
    values = {names[delivered]: expression for delivered, expression in read.items()}
    stored = {
        names[column.name]: frozenset(stored_name(column.name, kind) for kind in column.stored)
        for column in table_schema.columns
    }
    values[ORIGINAL_USER_ID.name] = pl.col(_USER)
    stored |= {"user_id": frozenset({_USER, _RESOLVED}), ORIGINAL_USER_ID.name: frozenset({_USER})}
    labeled = _labeled(table_schema, definitions, names, read.__getitem__, ours=[ORIGINAL_USER_ID.name])
    stored |= {name: frozenset().union(*map(stored.__getitem__, labeled.uses[name])) for name in labeled.values}
    values |= labeled.values
    return MigratedTable(
        name=table.current.name,
        rows=_event_rows(table, identity, None),
        values=values,
        stored=stored,
        delivered=frozenset(read),
        stored_rows=table.current.stored_rows(),
        data=fingerprint(table.current.deliveries(), tuple(merges)),
        rules=_rules(table_schema, names, values, definitions),
    )


def _users(
    table: ResolvedTable, rows: pl.LazyFrame, definitions: Sequence[Definition], merges: Sequence[str]
) -> MigratedTable:
    table_schema = table.current.table_schema
    names = table_schema.names_in_s()
    read = {delivered: cs.by_name(published).as_expr() for delivered, published in names.items()}
    values = {names[column.name]: read[column.name] for column in table_schema.columns}
    stored = {name: frozenset({name}) for name in values}
    labeled = _labeled(table_schema, definitions, names, read.__getitem__)
    values |= labeled.values
    stored |= labeled.uses
    return MigratedTable(
        name=table.current.name,
        rows=rows,
        values=values,
        stored=stored,
        delivered=frozenset(read),
        stored_rows=table.current.stored_rows(),
        data=fingerprint(table.current.deliveries(), tuple(merges)),
        rules=_rules(table_schema, names, values, definitions),
    )


@dataclass(frozen=True, slots=True)
class _Labeled:
    """The computed columns of a table by published name, and the published columns that each uses."""

    values: Mapping[str, pl.Expr]
    uses: Mapping[str, frozenset[str]]


def _labeled(
    table_schema: TableSchema,
    definitions: Sequence[Definition],
    names: Mapping[str, str],
    reference: Callable[[str], pl.Expr],
    *,
    ours: Sequence[str] = (),
) -> _Labeled:
    types = {column.name: column.type.polars for column in table_schema.columns}
    values, uses = {}, {}
    for published, definition in labeled_columns(definitions, names, ours=ours).items():
        used: set[str] = set()

        def noted(name: str, used: set[str] = used) -> pl.Expr:
            used.add(names[name])
            return reference(name)

        values[published] = labeled_expr(definition, types, reference=noted)
        uses[published] = frozenset(used)
    return _Labeled(values, uses)


def _rules(
    table_schema: TableSchema,
    names: Mapping[str, str],
    values: Mapping[str, pl.Expr],
    definitions: Sequence[Definition],
) -> dict[str, str]:
    """Return a fingerprint of each published column: of a delivered one its types, of a computed one all there is."""
    delivered = {names[column.name]: fingerprint(column) for column in table_schema.columns}
    computed = fingerprint(table_schema, sorted(names.items()), tuple(definitions))
    return {published: delivered.get(published, computed) for published in values}
