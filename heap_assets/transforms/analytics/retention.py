"""Retention: of the users who first came in a period, how many came back in the periods after.

In: heap_sessions. Out: retention. Reads all users.
Source: CONTRACT section 4; weeks begin on Monday, all times are UTC.
"""

import polars as pl

_USER, _START = "heap_user_id", "heap_session_start_time"
_PERIODS = {"week": "1w", "month": "1mo"}
_DAYS_OF_A_WEEK, _MONTHS_OF_A_YEAR = 7, 12


def retention(counts: pl.LazyFrame) -> pl.LazyFrame:
    """Return retention: one row per kind of period, cohort and later period in which someone of it was active.

    In: ``retention_counts`` of all users: whoever is in a cohort was active in its first period.
    Out: their columns, cohort_size (Int64), rate (Float64).

    >>> from datetime import datetime
    >>> starts = [datetime(2024, 6, 3), datetime(2024, 6, 4), datetime(2024, 6, 10)]
    >>> sessions = pl.LazyFrame({"heap_user_id": [1, 2, 2], "heap_session_start_time": starts})
    >>> retention(retention_counts(sessions)).filter(period="week").drop("period").collect().rows()
    [(datetime.date(2024, 6, 3), 0, 2, 2, 1.0), (datetime.date(2024, 6, 3), 1, 1, 2, 0.5)]
    """
    sizes = counts.filter(periods_since=0).select("period", "cohort", pl.col("users").alias("cohort_size"))
    return (
        counts.join(sizes, on=("period", "cohort"))
        .with_columns((pl.col("users") / pl.col("cohort_size")).alias("rate"))
        .sort("period", "cohort", "periods_since")
    )


def retention_counts(sessions: pl.LazyFrame) -> pl.LazyFrame:
    """Return what any set of users adds to each count, unordered.

    In: heap_sessions, of which heap_user_id (Int64) and heap_session_start_time (Datetime us; rows without one take no
    part) are read, the rows of a user together and the earliest first.
    Out: period (String: week or month), cohort (Date on which it begins), periods_since, users (Int64).
    """
    days = sessions.filter(pl.col(_START).is_not_null()).select(_USER, pl.col(_START).dt.date().alias("active"))
    return pl.concat([_by_period(days, period) for period in _PERIODS])


def _by_period(days: pl.LazyFrame, period: str) -> pl.LazyFrame:
    is_first = (pl.col(_USER) != pl.col(_USER).shift(1)).fill_null(value=True)
    comes_back = pl.col("active") != pl.col("active").shift(1)
    return (
        days.select(_USER, pl.col("active").dt.truncate(_PERIODS[period]))
        .with_columns(is_first.alias("is_first"))
        .filter(pl.col("is_first") | comes_back)
        .select("active", pl.when("is_first").then("active").forward_fill().alias("cohort"))
        .group_by("cohort", _periods_since(period).alias("periods_since"))
        .agg(pl.len().cast(pl.Int64).alias("users"))
        .select(pl.lit(period).alias("period"), "cohort", "periods_since", "users")
    )


def _periods_since(period: str) -> pl.Expr:
    active, cohort = pl.col("active"), pl.col("cohort")
    if period == "week":
        return (active - cohort).dt.total_days() // _DAYS_OF_A_WEEK
    return _months(active) - _months(cohort)


def _months(date: pl.Expr) -> pl.Expr:
    return date.dt.year().cast(pl.Int64) * _MONTHS_OF_A_YEAR + date.dt.month().cast(pl.Int64)
