"""Rows that lack an id they need: what they lack, and how they came.

In: stored rows of one table. Out: $row_id, $dump_id, ``reason`` and ``row`` (the row as JSON, with the values as
delivered). Not here: file and row number, which the lake knows (pipeline/resolve/sync_tables.py).
"""

from collections.abc import Iterable

import polars as pl

from heap_assets.expressions.polars.text import text_form
from heap_assets.schema.heap_tables import RawTable
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, delivered_column, stored_name
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms.duplicates import has_required_ids


def quarantined(rows: pl.LazyFrame, stored: Iterable[str], table: RawTable) -> pl.LazyFrame:
    """Return the rows without a required id; ``stored`` are the frame's stored columns."""
    by_column: dict[str, list[ValueType]] = {}
    for name in stored:
        column, value_type = delivered_column(name)
        by_column.setdefault(column, []).append(value_type)
    reasons = [_reason(column, by_column.get(column, [])) for column in table.required]
    return rows.filter(~has_required_ids(table)).select(
        ROW_ID,
        DUMP_ID,
        pl.concat_str(reasons, separator="; ", ignore_nulls=True).alias("reason"),
        pl.struct(_delivered(column, types) for column, types in sorted(by_column.items()))
        .struct.json_encode()
        .alias("row"),
    )


def _reason(column: str, types: list[ValueType]) -> pl.Expr:
    unread = [value_type for value_type in types if value_type is not ValueType.LONG]
    texts = [text_form(pl.col(stored_name(column, kind)), kind.polars) for kind in unread]
    seen = pl.coalesce([*texts, pl.lit(None, dtype=pl.String)])
    return pl.when(pl.col(stored_name(column, ValueType.LONG)).is_null()).then(
        pl.when(seen.is_null())
        .then(pl.lit(f"{column} is missing"))
        .otherwise(pl.format("{} is {}, which is no whole number", pl.lit(column), seen))
    )


def _delivered(column: str, types: list[ValueType]) -> pl.Expr:
    if len(types) == 1:
        return pl.col(stored_name(column, types[0])).alias(column)
    return pl.coalesce(text_form(pl.col(stored_name(column, kind)), kind.polars) for kind in types).alias(column)
