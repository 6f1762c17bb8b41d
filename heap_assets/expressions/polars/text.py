"""Values as text: the one form in which values of different types meet.

Here: Polars expressions for the forms of CONTRACT section 1 (decimal longs, shortest doubles, true and false).
Not here: the same in SQL (duckdb/text.py), reading texts back.
"""

import polars as pl


def text_form(expr: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return the values of ``expr``, which has this type, in text form.

    >>> frame = pl.DataFrame({"price": [5.0, 0.00005, 1e16, float("nan")]})
    >>> frame.select(text_form(pl.col("price"), pl.Float64())).to_series().to_list()
    ['5.0', '5e-05', '1e+16', 'nan']
    >>> pl.select(text_form(pl.lit(True), pl.Boolean())).item()
    'true'
    """
    if dtype.is_float():
        return _double_text(expr)
    if isinstance(dtype, pl.Datetime):
        return _time_text(expr)
    return expr.cast(pl.String, strict=False)


def _double_text(expr: pl.Expr) -> pl.Expr:
    """Write doubles as Python and DuckDB do: Polars pads no exponent, and writes 0.00001 in full."""
    return (
        expr.cast(pl.Float64)
        .cast(pl.String)
        .str.replace(r"e-(\d)$", "e-0${1}")
        .str.replace(r"^(-?)0\.0000([1-9])$", "${1}${2}e-05")
        .str.replace(r"^(-?)0\.0000([1-9])(\d+)$", "${1}${2}.${3}e-05")
        .str.replace("NaN", "nan", literal=True)
    )


def _time_text(expr: pl.Expr) -> pl.Expr:
    """Write times of the years 1 to 9999; others have no such form, and Polars panics on the farthest."""
    first, last = pl.datetime(1, 1, 1), pl.datetime(9999, 12, 31, 23, 59, 59, 999_999)
    times = pl.when(expr.is_between(first, last)).then(expr)
    whole = times.dt.microsecond() == 0
    return (
        pl.when(whole)
        .then(times.dt.to_string("%Y-%m-%d %H:%M:%S"))
        .otherwise(times.dt.to_string("%Y-%m-%d %H:%M:%S%.6f"))
    )
