"""The SELECTs of the published file: raw tables, tables with migrations, all_events.

In: contents of relations, the tables of the published file that name superseded rows. Out: SQL text; nothing is run.
A SELECT serves as a view over the lake's Parquet, or, where the lake is in S3, as the content of a table.
Not here: creating anything (file.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heap_assets.expressions.duckdb.labeled import labeled_sql
from heap_assets.expressions.duckdb.quoting import file_list, identifier, literal
from heap_assets.expressions.duckdb.text import text_form_sql
from heap_assets.expressions.duckdb.times import time_sql
from heap_assets.schema.all_events import UnionColumn
from heap_assets.schema.labeled_columns import labeled_columns
from heap_assets.schema.own_tables import ALL_EVENTS, EVENT_TABLE_NAME, ORIGINAL_USER_ID
from heap_assets.schema.stored_columns import ROW_ID, stored_name
from heap_assets.schema.table_schema import ColumnSchema, TableSchema
from heap_assets.schema.value_types import ValueType
from heap_assets.targets.relation import Layers, OnResolvedUsers, ResolvedFiles, Superseded, Union, WithLabeled


@dataclass(frozen=True, slots=True, kw_only=True)
class Lake:
    """Where the rows of a table are: its Parquet files, whether all have the same columns, the rows that do not count.

    ``superseded`` is a quoted table or a query with the column row_id; None if every row counts. ``view`` is a quoted
    view of ``files_select``, so that the SELECT stays the same when files come; None if it is to name them itself.
    """

    files: Sequence[str]
    alike: bool
    superseded: str | None = None
    view: str | None = None


def files_select(lake: Lake) -> str:
    """Return the SELECT of all stored columns."""
    return f"SELECT * FROM {_files(lake)}"


def raw_select(table: ResolvedFiles, lake: Lake) -> str:
    """Return the SELECT of a table with users as recorded."""
    columns = [f"{_value(column)} AS {identifier(table.names[column.name])}" for column in table.table_schema.columns]
    return f"SELECT {', '.join(columns)} FROM {_rows(lake)}{_where(table.table_schema, lake)}"


def lost_select(view: str, superseded: Superseded) -> str:
    """Return the query of a table's rows that do not count; ``view`` (quoted) is of the file of all tables."""
    return f"(SELECT row_id FROM {view} WHERE table_name = {literal(superseded.table)} AND {superseded.of})"


def file_select(*files: str) -> str:
    """Return the SELECT of Parquet files that are as they should be."""
    return f"SELECT * FROM read_parquet({file_list(files)}, hive_partitioning = false)"


def layered_select(rows: Layers, after: Sequence[Sequence[int]], *, refreshed: str) -> str:
    """Return the SELECT of files in layers.

    ``after`` has for each layer the refreshes after it, whose users have their rows there; ``refreshed`` is the quoted
    name of a table with refresh, user_id.
    """
    parts, user = [], identifier(rows.user)
    for layer, later in zip(rows.layers, after, strict=True):
        gone = f"SELECT 1 FROM {refreshed} r WHERE r.user_id = t.{user} AND r.refresh IN ({_listed(later)})"
        where = f" WHERE NOT EXISTS ({gone})" if later else ""
        parts.append(f"SELECT t.* FROM read_parquet({file_list(layer.files)}, hive_partitioning = false) t{where}")
    return " UNION ALL ".join(parts)


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def migrated_select(table: OnResolvedUsers, *, recorded: str, users: str) -> str:
    """Return the SELECT of an event-like table on resolved users, with the recorded one as original_user_id.

    ``recorded`` is a quoted view, or a query, of the table with users as recorded and columns as they are to be called,
    ``users`` the quoted name of a table with user_id and resolved_user_id of every recorded user.
    """
    names = table.recorded.names
    user = identifier(names["user_id"])
    columns = []
    for column in table.recorded.table_schema.columns:
        name = identifier(names[column.name])
        if column.name == "user_id":
            columns += [f"m.resolved_user_id AS {name}", f"t.{user} AS {identifier(ORIGINAL_USER_ID.name)}"]
        else:
            columns.append(f"t.{name}")
    # not coalesced with the recorded one, so that a filter by user reaches the Parquet files: a quarter of the time
    return f"SELECT {', '.join(columns)} FROM {recorded} t LEFT JOIN {users} m ON m.user_id = t.{user}"


def with_labeled(content: WithLabeled, select: str) -> str:
    """Return a SELECT of these rows with the computed properties that they lack."""
    columns = content.columns
    names = {name: published for name, (published, _) in columns.items()}
    labeled = labeled_columns(content.definitions, names, ours=content.ours)
    if not labeled:
        return select
    types = {name: value_type.duckdb for name, (_, value_type) in columns.items()}
    computed = [
        labeled_sql(definition, types, reference=lambda name: f"r.{identifier(columns[name][0])}")
        + f" AS {identifier(published)}"
        for published, definition in labeled.items()
    ]
    return f"SELECT r.*, {', '.join(computed)} FROM ({select}) r"


def union_select(content: Union, relations: Mapping[str, str], *, resolved_by: str | None = None) -> str:
    """Return the SELECT of all_events over tables; ``relations`` has a quoted view or query of each.

    With ``resolved_by``, as ``users`` of migrated_select, it is on resolved users: one join for all tables.
    """
    names = [EVENT_TABLE_NAME, *(column.published for column in content.columns)]
    if not content.tables:
        selected = [f"CAST(NULL AS {column.type.duckdb}) AS {identifier(column.name)}" for column in ALL_EVENTS.columns]
        union, names = f"SELECT {', '.join(selected)} WHERE FALSE", [column.name for column in ALL_EVENTS.columns]
    else:
        union = " UNION ALL ".join(
            _union_part(table, published, relations[published], content.columns)
            for published, table in content.tables.items()
        )
    if resolved_by is None:
        return union
    selected = [f"t.{identifier(name)}" if name != "user_id" else "m.resolved_user_id AS user_id" for name in names]
    selected.append(f"t.user_id AS {identifier(ORIGINAL_USER_ID.name)}")
    return f"SELECT {', '.join(selected)} FROM ({union}) t LEFT JOIN {resolved_by} m ON m.user_id = t.user_id"


def _union_part(table: ResolvedFiles, published: str, relation: str, columns: Sequence[UnionColumn]) -> str:
    selected = [f"{literal(published)} AS {identifier(EVENT_TABLE_NAME)}"]
    for column in columns:
        own = column.tables.get(table.table_schema.name)
        value = "NULL"
        if own is not None and own.stored:
            value = _converted(f"t.{identifier(table.names[own.name])}", own.type, column.type)
        # the type is named in any case: a view that is kept because its text is the same must have the same types
        selected.append(f"CAST({value} AS {column.type.duckdb}) AS {identifier(column.published)}")
    return f"SELECT {', '.join(selected)} FROM {relation} t"


def _rows(lake: Lake) -> str:
    if not lake.files:
        return "(SELECT 1 WHERE FALSE) t"
    return f"{lake.view or _files(lake)} t"


def _files(lake: Lake) -> str:
    by_name = "" if lake.alike else ", union_by_name = true"
    return f"read_parquet({file_list(lake.files)}, hive_partitioning = false{by_name})"


def _where(table_schema: TableSchema, lake: Lake) -> str:
    conditions = []
    if lake.files and table_schema.unkeyed:
        conditions += [
            f"t.{identifier(stored_name(column, ValueType.LONG))} IS NOT NULL" for column in table_schema.table.required
        ]
    if lake.files and lake.superseded:
        lost = f"SELECT 1 FROM {lake.superseded} s WHERE s.row_id = t.{identifier(ROW_ID)}"
        conditions.append(f"NOT EXISTS ({lost})")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _value(column: ColumnSchema) -> str:
    values = [
        _converted(f"t.{identifier(stored_name(column.name, stored))}", stored, column.type) for stored in column.stored
    ]
    if not values:
        return f"CAST(NULL AS {column.type.duckdb})"
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _converted(value: str, source: ValueType, target: ValueType) -> str:
    if source is target:
        return value
    if target is ValueType.TIME:
        return time_sql(value, source)
    if target is ValueType.TEXT:
        return text_form_sql(value, source.duckdb)
    return f"CAST({value} AS {target.duckdb})"
