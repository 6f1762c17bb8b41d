"""Times in every form that an export may use, as microseconds in UTC without zone.

Here: text, epoch numbers and Avro's timestamps become Datetime("us"); what cannot be read becomes null.
Not here: which columns are times (schema/heap_tables.py), counting what could not be read (the lake keeps the text).
Source: CONTRACT section 1, and Heap's data schema page (all times UTC, epochs on S3).
"""

import polars as pl

from heap_assets.schema.value_types import ValueType

_SECONDS_BELOW = 10**11
_MILLIS_BELOW = 10**14
_MICROS_BELOW = 10**17
_FIRST_MICRO = -62_135_596_800_000_000  # 0001-01-01
_LAST_MICRO = 253_402_300_799_999_999  # 9999-12-31

_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_ORDINARY = rf"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}} [0-9]{{2}}:[0-9]{{2}}:[0-5][0-9]\.[0-9]{{1,9}}$"
_DIGITS = r"^-?[0-9]+$"
_TEXT = (
    rf"^({_YEAR}-[0-9]{{2}}-[0-9]{{2}})"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(?::([0-5][0-9])(?:\.([0-9]+))?)?"
    r"(?:Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)?)?$"
)


def time_from(column: pl.Expr, value_type: ValueType) -> pl.Expr:
    """Return ``column`` (of this type) as Datetime("us"), UTC; null for 0 and for what is not a time."""
    match value_type:
        case ValueType.TIME:
            return _not_epoch(column.cast(pl.Datetime("us")))
        case ValueType.LONG:
            return epoch_time(column)
        case ValueType.DOUBLE:
            return _double_time(column)
        case ValueType.TEXT:
            return column.map_batches(_text_times, return_dtype=pl.Datetime("us"), is_elementwise=True)
        case ValueType.BOOLEAN:
            return pl.lit(None, dtype=pl.Datetime("us"))


def epoch_time(column: pl.Expr) -> pl.Expr:
    """Return whole epoch numbers (s, ms, us or ns, told apart by their size) as Datetime("us").

    >>> pl.select(epoch_time(pl.lit(1_717_200_000))).item()
    datetime.datetime(2024, 6, 1, 0, 0)
    >>> pl.select(epoch_time(pl.lit(1_717_200_000_000_000_999))).item()
    datetime.datetime(2024, 6, 1, 0, 0)
    """
    micros = (
        pl.when(_within(column, _SECONDS_BELOW))
        .then(column * 1_000_000)
        .when(_within(column, _MILLIS_BELOW))
        .then(column * 1_000)
        .when(_within(column, _MICROS_BELOW))
        .then(column)
        .otherwise(column // 1_000)
    )
    return _not_epoch(micros.cast(pl.Int64).cast(pl.Datetime("us")))


def _within(column: pl.Expr, limit: int) -> pl.Expr:
    """Return whether the absolute value is below the limit; the least long has no absolute value."""
    return column.is_between(-limit, limit, closed="none")


def _double_time(column: pl.Expr) -> pl.Expr:
    """Read doubles as epochs; the fraction counts, finer than microseconds is cut off."""
    micros = (
        pl.when(_within(column, _SECONDS_BELOW))
        .then(column * 1e6)
        .when(_within(column, _MILLIS_BELOW))
        .then(column * 1e3)
        .otherwise(column)
    )
    nanos = column.cast(pl.Int64, strict=False)  # so large a double is whole; Polars takes column / 1e3 for * 0.001
    whole = (
        pl.when(_within(column, _MICROS_BELOW))
        .then(micros.floor().cast(pl.Int64, strict=False))
        .otherwise(nanos // 1000)
    )
    return _not_epoch(whole.cast(pl.Datetime("us")))


def _not_epoch(time: pl.Expr) -> pl.Expr:
    """Leave out 0, and years that no calendar here has: Polars and DuckDB fail on the farthest."""
    micros = time.to_physical()
    return pl.when((micros != 0) & micros.is_between(_FIRST_MICRO, _LAST_MICRO)).then(time)


def _text_times(texts: pl.Series) -> pl.Series:
    """Read the ordinary form by its places, and only the rest by the full grammar.

    A million ordinary texts take 0.25 s of CPU so, 4.7 s by the full grammar.
    """
    named = texts.to_frame("text")
    ordinary = texts.str.contains(_ORDINARY)
    fast = named.select(_ordinary_time(pl.col("text"))).to_series()
    rest = ~ordinary & texts.is_not_null()
    if not rest.any():
        return fast
    slow = named.filter(rest).select(text_time(pl.col("text"))).to_series()
    position = pl.Series(rest.cast(pl.UInt32).cum_sum() - 1)
    return pl.select(
        pl.when(ordinary).then(fast).when(rest).then(slow.gather(position.clip(0, max(len(slow) - 1, 0))))
    ).to_series()


def _ordinary_time(text: pl.Expr) -> pl.Expr:
    """Read ``2024-06-01 12:30:00.5`` by its places; of any other text the result says nothing."""
    clock = text.str.slice(0, 19)  # few come again: without the cache of texts a million take 0.07 s, not 0.12
    whole = clock.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us", cache=False)
    micros = text.str.slice(20, 6).str.pad_end(6, "0").cast(pl.Int64, strict=False)
    return whole + micros.cast(pl.Duration("us"))


def text_time(text: pl.Expr) -> pl.Expr:
    """Return texts as Datetime("us") by the full grammar: dates, date and time, offsets, digits.

    >>> pl.select(text_time(pl.lit("2024-06-01T12:30+0230"))).item()
    datetime.datetime(2024, 6, 1, 10, 0)
    >>> pl.select(text_time(pl.lit("1717200000"))).item()
    datetime.datetime(2024, 6, 1, 0, 0)
    """
    parts = text.str.extract_groups(_TEXT).struct
    clock, seconds = parts.field("2").fill_null("00:00"), parts.field("3").fill_null("00")
    micros = parts.field("4").fill_null("").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64)
    local = (parts.field("1") + " " + clock + ":" + seconds).str.to_datetime(
        "%Y-%m-%d %H:%M:%S", strict=False, time_unit="us"
    )
    hours = parts.field("6").cast(pl.Int64).fill_null(0)
    minutes = parts.field("7").cast(pl.Int64).fill_null(0)
    offset = pl.duration(minutes=pl.when(parts.field("5") == "-").then(-1).otherwise(1) * (hours * 60 + minutes))
    written = pl.when((hours < 24) & (minutes < 60)).then(  # noqa: PLR2004
        local + pl.duration(microseconds=micros) - offset
    )
    digits = pl.when(text.str.contains(_DIGITS)).then(text).cast(pl.Int64, strict=False)
    within = pl.when(written.to_physical().is_between(_FIRST_MICRO, _LAST_MICRO)).then(written)
    return pl.coalesce(within, epoch_time(digits))
