"""The columns of all_events: those of all its tables, each with one type across them.

Not here: the columns of one table (table_schema.py), the SELECT (targets/duckdb/).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heap_assets.schema.documented_columns import EVENT_COLUMNS
from heap_assets.schema.heap_tables import raw_table
from heap_assets.schema.names import folded, published_names
from heap_assets.schema.own_tables import BASIC_COLUMNS, BUILT_IN_EVENT_COLUMNS, EVENT_TABLE_NAME
from heap_assets.schema.table_schema import ColumnSchema, TableSchema
from heap_assets.schema.value_types import ValueType, resolved_type


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionColumn:
    """A column of all_events: its published name and type, and for each table that has it the column there."""

    name: str
    published: str
    type: ValueType
    tables: Mapping[str, ColumnSchema]


def union_columns(
    table_schemas: Iterable[TableSchema], *, column_set: str, reserved: Iterable[str] = ()
) -> tuple[UnionColumn, ...]:
    """Return the columns of all_events over these tables, without event_table_name and original_user_id.

    ``column_set`` is ``all``, ``builtin`` (the columns that Heap documents for such tables and that one has) or
    ``basic``; the basic columns are always there. Types are resolved across tables as within one.
    """
    tables: dict[str, dict[str, ColumnSchema]] = {}
    table_schemas = list(table_schemas)
    for table_schema in table_schemas:
        for column in table_schema.columns:
            tables.setdefault(column.name, {})[table_schema.name] = column
    basic = [name for name in BASIC_COLUMNS if name != EVENT_TABLE_NAME]
    if column_set == "builtin":
        tables = {name: found for name, found in tables.items() if folded(name) in BUILT_IN_EVENT_COLUMNS}
    elif column_set == "basic":
        tables = {name: found for name, found in tables.items() if name in basic}
    tables = {**{name: {} for name in basic}, **tables}
    published = published_names(
        [name for name in tables if name not in basic], reserved=[*basic, EVENT_TABLE_NAME, *reserved]
    )
    order = {column.name: place for place, column in enumerate(EVENT_COLUMNS)}
    return tuple(
        UnionColumn(
            name=name, published=published.get(name, name), type=_union_type(name, tables[name]), tables=tables[name]
        )
        for name in sorted(tables, key=lambda name: (order.get(name, len(order)), name))
    )


def _union_type(name: str, columns: Mapping[str, ColumnSchema]) -> ValueType:
    native = raw_table("").native_type(name)
    counting = {kind for column in columns.values() for kind in ([column.type] if column.stored else [])}
    return native or resolved_type(counting)
