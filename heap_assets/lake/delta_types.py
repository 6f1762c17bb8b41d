"""What Delta is told: the types of stored columns, and what a file of a delivery holds.

Here: from a stored column's name to its type, from a file to an add action. Not here: how a column is stored
(schema/stored_columns.py), committing (landed_table.py).
"""

import json
import time

from deltalake import Field
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from heap_assets.lake.listing import DELIVERY, LandedFile
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, delivered_column
from heap_assets.schema.value_types import ValueType

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


def add_action(within: str, file: LandedFile, *, dump_id: int) -> AddAction:
    """Return what a commit says of a file of a delivery, which lies at ``within`` of the table's folder."""
    statistics = {
        "numRecords": file.rows,
        "nullCount": file.nulls,
        "minValues": {ROW_ID: file.first_row_id, DUMP_ID: dump_id},
        "maxValues": {ROW_ID: file.first_row_id + file.rows - 1, DUMP_ID: dump_id},
    }
    return AddAction(
        path=within,
        size=file.size,
        partition_values={DELIVERY: file.delivery},
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=json.dumps(statistics),
    )
