"""Columns that an export may lack, or may have in any type, as text.

Here: a column as text whether or not a frame has it, and rows whose columns equal what a person wrote. Not here: the
text forms themselves (expressions/polars/text.py).
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.text import text_form

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_BEYOND = Decimal(2**63)
_FLAGS = {"true": pl.lit(value=True), "false": pl.lit(value=False)}


def text_column(name: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return the column ``name`` (String) of a frame with these columns; null throughout if it has none.

    >>> sessions = pl.DataFrame({"utm_campaign": [2024, None]})
    >>> sessions.select(text_column("utm_campaign", sessions.schema)).to_series().to_list()
    ['2024', None]
    """
    if name not in columns:
        return pl.lit(None, dtype=pl.String).alias(name)
    return text_form(cs.by_name(name).as_expr(), columns[name])  # pl.col would read ^...$ and * as patterns


def equal_texts(wanted: Mapping[str, str], columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return whether each wanted column of a row equals what is wanted; null equals nothing.

    The column decides how: one of numbers equals the number that is written, in any spelling, one of flags ``true`` or
    ``false`` in any case, any other the text as it is written. Source: ``where`` of funnels and segments, CONTRACT
    section 5.

    >>> users = pl.DataFrame({"version": ["1.10", "1.1", None], "seats": [5.0, 5.0, 5.0]})
    >>> users.select(equal_texts({"version": "1.10", "seats": "5"}, users.schema)).to_series().to_list()
    [True, False, False]
    """
    conditions = [_equals(name, text, columns).fill_null(value=False) for name, text in wanted.items()]
    return pl.all_horizontal(conditions) if conditions else pl.lit(value=True)


def _equals(name: str, text: str, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    dtype = columns.get(name, pl.String())
    number = _number(text) if dtype.is_numeric() else None
    if number is not None:
        return cs.by_name(name).as_expr() == _literal(number, dtype)
    if dtype == pl.Boolean:
        return _FLAGS.get(text.lower(), pl.lit(value=None)) == cs.by_name(name).as_expr()
    return text_column(name, columns) == text


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:  # an exponent beyond any number
        return None


def _literal(number: Decimal, dtype: pl.DataType) -> pl.Expr:
    """Return the number as a column of this type has it, null if none can."""
    if dtype.is_float():
        double = float(number)
        return pl.lit(double if math.isfinite(double) else None, dtype=pl.Float64)
    whole = -_BEYOND <= number < _BEYOND and number == number.to_integral_value()
    return pl.lit(int(number) if whole else None, dtype=pl.Int64)
