"""Columns that an export may lack, or may have in any type, as text.

Here: a column as text whether or not a frame has it, and rows whose columns equal wanted texts. Not here: the text
forms themselves (text_forms.py).
"""

from collections.abc import Mapping

import polars as pl
import polars.selectors as cs

from heap_assets.transforms.text_forms import text_form


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
    """Return whether each wanted column of a row, in text form, equals the wanted text; null equals nothing.

    Source: ``where`` of funnels and segments, CONTRACT section 5.

    >>> users = pl.DataFrame({"plan": ["gold", "free", None], "seats": [5.0, 5.0, 5.0]})
    >>> users.select(equal_texts({"plan": "gold", "seats": "5.0"}, users.schema)).to_series().to_list()
    [True, False, False]
    """
    conditions = [text_column(name, columns).eq(text).fill_null(value=False) for name, text in wanted.items()]
    return pl.all_horizontal(conditions) if conditions else pl.lit(value=True)
