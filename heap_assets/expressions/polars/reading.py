"""From stored columns to the columns that a reader sees, in Polars.

In: stored columns (columns.stored_name). Out: delivered names, each in the one type resolved for it; times UTC.
Not here: which rows count (transforms/duplicates.py), the same as a DuckDB view (targets/duckdb/views.py).
"""

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.text import text_form
from heap_assets.expressions.polars.times import time_from
from heap_assets.schema.stored_columns import stored_name
from heap_assets.schema.table_schema import ColumnSchema
from heap_assets.schema.value_types import ValueType


def read_column(column: ColumnSchema) -> pl.Expr:
    """Return a column's values in its resolved type, under its delivered name; null where none is stored."""
    values = [
        converted(cs.by_name(stored_name(column.name, stored)).as_expr(), stored, column.type)
        for stored in column.stored
    ]
    found = pl.coalesce(values) if values else pl.lit(None, dtype=column.type.polars)
    return found.alias(column.name)


def converted(values: pl.Expr, source: ValueType, target: ValueType) -> pl.Expr:
    """Return values of one type in another that holds them: numbers as text or wider, text and numbers as times."""
    if source is target:
        return values
    if target is ValueType.TIME:
        return time_from(values, source)
    if target is ValueType.TEXT:
        return text_form(values, source.polars)
    return values.cast(target.polars)
