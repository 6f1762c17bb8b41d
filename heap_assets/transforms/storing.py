"""From delivered values to stored columns: ids as numbers, times as times, everything else as it came.

In: a frame, and where in it the values of each delivered column are, by type. Out: one column for each delivered column
and type (columns.stored_name). Of an id or time that cannot be read the delivered text stays beside the null, so that
it can be counted and shown. Not here: which rows count (duplicates.py).
"""

from collections.abc import Mapping

import polars as pl

from heap_assets.expressions.polars.times import time_from
from heap_assets.schema.heap_tables import RawTable
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, stored_name
from heap_assets.schema.value_types import ValueType

_DIGITS = r"^-?[0-9]+$"
_ZERO = r"^-?0+$"


def stored(rows: pl.LazyFrame, sources: Mapping[str, Mapping[ValueType, str]], table: RawTable) -> pl.LazyFrame:
    """Return the stored columns of delivered rows, behind ``rows``' own $row_id and $dump_id."""
    native = {column: kind for column in sources if (kind := table.native_type(column)) is not None}
    read = [
        pl.coalesce(_read(pl.col(source), value_type, kind) for value_type, source in sources[column].items()).alias(
            stored_name(column, kind)
        )
        for column, kind in native.items()
    ]
    kept: list[pl.Expr] = [pl.col(ROW_ID, DUMP_ID)]
    for column, by_type in sources.items():
        kind = native.get(column)
        if kind is not None:
            kept.append(pl.col(stored_name(column, kind)))
        for value_type, source in by_type.items():
            if kind is None:
                kept.append(_as_delivered(pl.col(source), value_type).alias(stored_name(column, value_type)))
            elif (value_type, kind) not in _ALWAYS_READ:
                kept.append(_unread(column, pl.col(source), value_type, kind))
    return rows.with_columns(read).select(kept)


_ALWAYS_READ = {
    (ValueType.LONG, ValueType.LONG),
    (ValueType.LONG, ValueType.TIME),
    (ValueType.TIME, ValueType.TIME),
}


def _read(value: pl.Expr, value_type: ValueType, native: ValueType) -> pl.Expr:
    return id_from(value, value_type) if native is ValueType.LONG else time_from(value, value_type)


def _as_delivered(value: pl.Expr, value_type: ValueType) -> pl.Expr:
    return time_from(value, value_type) if value_type is ValueType.TIME else value.cast(value_type.polars)


def _unread(column: str, value: pl.Expr, value_type: ValueType, native: ValueType) -> pl.Expr:
    """Return the values that say nothing as an id or time, as they came; 0 for a time says that there is none."""
    unread = pl.col(stored_name(column, native)).is_null() & value.is_not_null()
    if native is ValueType.TIME and value_type is ValueType.TEXT:
        unread &= ~value.str.contains(_ZERO)
    if native is ValueType.TIME and value_type is ValueType.DOUBLE:
        unread &= value != 0
    return pl.when(unread).then(value).cast(value_type.polars).alias(stored_name(column, value_type))


def id_from(value: pl.Expr, value_type: ValueType) -> pl.Expr:
    """Return an id as Int64: whole numbers and text of digits; null for anything else.

    >>> frame = pl.DataFrame({"id": ["17", "x", "-3", "99999999999999999999"]})
    >>> frame.select(id_from(pl.col("id"), ValueType.TEXT)).to_series().to_list()
    [17, None, -3, None]
    """
    match value_type:
        case ValueType.LONG:
            return value.cast(pl.Int64)
        case ValueType.TEXT:
            return pl.when(value.str.contains(_DIGITS)).then(value).cast(pl.Int64, strict=False)
        case ValueType.DOUBLE:
            return pl.when(value == value.floor()).then(value).cast(pl.Int64, strict=False)
        case ValueType.BOOLEAN | ValueType.TIME:
            return pl.lit(None, dtype=pl.Int64)
