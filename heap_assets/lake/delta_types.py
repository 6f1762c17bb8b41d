"""Delta's types of stored columns.

Here: from a stored column's name to its type. Not here: how a column is stored (columns.py).
"""

from deltalake import Field
from deltalake.schema import PrimitiveType

from heap_assets.columns import DUMP_ID, ROW_ID, ValueType, delivered_column

_DELTA_TYPES = {
    ValueType.BOOLEAN: "boolean",
    ValueType.LONG: "long",
    ValueType.DOUBLE: "double",
    ValueType.TEXT: "string",
    ValueType.TIME: "timestamp_ntz",
}


def stored_type(column: str) -> ValueType:
    """Return the type of a stored column, our own included."""
    return ValueType.LONG if column in {ROW_ID, DUMP_ID} else delivered_column(column)[1]


def delta_field(column: str) -> Field:
    """Return a stored column as Delta declares it."""
    return Field(column, PrimitiveType(_DELTA_TYPES[stored_type(column)]))
