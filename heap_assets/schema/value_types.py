"""The types that a value can have: in the lake, in DuckDB, in Polars, and the one that several resolve to.

Not here: under which names the lake stores them (stored_columns.py), conversions (expressions/).
"""

from collections.abc import Iterable
from enum import StrEnum

import polars as pl


class ValueType(StrEnum):
    """The types that a value can have in the lake, named as the Avro types they come from."""

    BOOLEAN = "boolean"
    LONG = "long"
    DOUBLE = "double"
    TEXT = "text"
    TIME = "time"

    @property
    def duckdb(self) -> str:
        """Return the type that DuckDB shows."""
        return _DUCKDB[self]

    @property
    def polars(self) -> pl.DataType:
        """Return the type that Polars computes with; times are microseconds, UTC, without zone."""
        return _POLARS[self]


class DateType:
    """The type of a day: computed columns have it, delivered ones never."""

    duckdb = "DATE"
    polars = pl.Date()


DATE = DateType()
ColumnType = ValueType | DateType
"""The type of a column that a reader sees."""

_DUCKDB = {
    ValueType.BOOLEAN: "BOOLEAN",
    ValueType.LONG: "BIGINT",
    ValueType.DOUBLE: "DOUBLE",
    ValueType.TEXT: "VARCHAR",
    ValueType.TIME: "TIMESTAMP",
}
_POLARS: dict[ValueType, pl.DataType] = {
    ValueType.BOOLEAN: pl.Boolean(),
    ValueType.LONG: pl.Int64(),
    ValueType.DOUBLE: pl.Float64(),
    ValueType.TEXT: pl.String(),
    ValueType.TIME: pl.Datetime("us"),
}


def resolved_type(types: Iterable[ValueType]) -> ValueType:
    """Return the narrowest type that holds values of all these types; text where there is none.

    A boolean with anything else is text; a column that any file declares as a timestamp is a time column.

    >>> resolved_type([ValueType.LONG, ValueType.DOUBLE])
    <ValueType.DOUBLE: 'double'>
    >>> resolved_type([ValueType.LONG, ValueType.BOOLEAN])
    <ValueType.TEXT: 'text'>
    """
    seen = set(types)
    if ValueType.TIME in seen:
        return ValueType.TIME
    if seen == {ValueType.LONG, ValueType.DOUBLE}:
        return ValueType.DOUBLE
    return seen.pop() if len(seen) == 1 else ValueType.TEXT
