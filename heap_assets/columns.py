"""How a delivered column is stored: one stored column for each type that it ever came in.

A property may be a long today and text tomorrow, and a resync may undo that. So the lake keeps each value in the type
in which it came (``price$long`` beside ``price``), and the type that a reader sees is resolved from what is current.
Here: the stored names and types, and the rule that resolves them. Not here: the conversions themselves
(transforms/times.py, transforms/text_forms.py).
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

import polars as pl

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")

ROW_ID = "$row_id"
"""BIGINT, unique in one raw table, ascending in delivered order; no delivered name is stored with a leading $."""

DUMP_ID = "$dump_id"
"""BIGINT, the dump that brought the row."""


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


def escaped(name: str) -> str:
    """Return ``name`` in lower-case letters, digits, ``_`` and ``~``: safe as a folder and as a Delta column.

    Delta compares names without case, Spark refuses blanks and commas, file systems slashes.

    >>> escaped("Sign up/É")
    '~53ign~20up~2f~c3~89'
    """
    return "".join(letter if letter in _PLAIN else _hexadecimal(letter) for letter in name)


def _hexadecimal(letter: str) -> str:
    return "".join(f"~{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))


def stored_name(column: str, value_type: ValueType) -> str:
    """Return the name under which the lake keeps the values of ``column`` that came as ``value_type``.

    >>> stored_name("price", ValueType.TEXT), stored_name("Price", ValueType.LONG)
    ('price', '~50rice$long')
    """
    return escaped(column) if value_type is ValueType.TEXT else f"{escaped(column)}${value_type.value}"


@lru_cache(maxsize=10_000)  # asked of every column of every file, of which hundreds may have the same
def delivered_column(stored: str) -> tuple[str, ValueType]:
    """Return the delivered column and the type that a stored name stands for.

    >>> delivered_column("~50rice$long")
    ('Price', <ValueType.LONG: 'long'>)
    """
    name, _, suffix = stored.partition("$")
    return unescaped(name), ValueType(suffix) if suffix else ValueType.TEXT


def unescaped(name: str) -> str:
    """Return the name that ``escaped`` made this of."""
    plain = re.sub(rb"~([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), name.encode())
    return plain.decode("utf-8", "surrogatepass")


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
