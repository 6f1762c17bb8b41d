"""Columns of text as numbers, flags, dates and times, where every value of the whole column is written as one.

In: a frame from a CSV file, all text. Out: the same frame, typed. A column with one value that is written otherwise,
such as ``00019`` or a number of 23 digits, stays text. Not here: Heap's values, whose types are declared.
"""

from collections.abc import Collection

import polars as pl
import polars.selectors as cs

_FORMS = {
    pl.Int64(): r"^(0|-?[1-9][0-9]{0,17})$",
    pl.Float64(): r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?$",
    pl.Boolean(): r"^(true|false)$",
    pl.Date(): r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    pl.Datetime("us"): r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?$",
}


def typed_texts(rows: pl.DataFrame, *, but: Collection[str]) -> pl.DataFrame:
    """Return the rows with each String column in the type that all its values are written in; ``but`` stay text.

    >>> rows = pl.DataFrame({"key": ["19", "7"], "seats": ["5", None], "price": ["19.99", "20"], "zip": ["00019", "7"]})
    >>> typed_texts(rows, but=["key"]).row(0)
    ('19', 5, 19.99, '00019')
    """
    return rows.with_columns(
        _typed(rows[name]) for name, kind in rows.schema.items() if kind == pl.String and name not in but
    )


def _typed(values: pl.Series) -> pl.Series:
    if values.null_count() == len(values):
        return values
    for kind, form in _FORMS.items():
        if values.str.contains(form).all():
            found = _read(values, kind)
            if found.null_count() == values.null_count():
                return found
    return values


def _read(values: pl.Series, kind: pl.DataType) -> pl.Series:
    if kind == pl.Boolean:
        return values.to_frame().select(cs.first() == "true").to_series()
    if kind == pl.Date:
        return values.str.to_date("%Y-%m-%d", strict=False)
    if isinstance(kind, pl.Datetime):
        return values.str.replace("T", " ", literal=True).str.to_datetime(
            "%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"
        )
    return values.cast(kind, strict=False)
