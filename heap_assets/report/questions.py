"""What the report asks of the models: rows in, a few rows out.

Not here: what it makes of the answers (figures.py).
"""

from datetime import date, datetime

import polars as pl

_START, _USER = "heap_session_start_time", "heap_user_id"
_MICROSECONDS = 1_000_000
_STEP = ("step_name", "users", "conversion_from_start", "conversion_from_previous")
_MEDIANS = ("median_seconds_from_previous", "median_seconds_from_start")


def sessions_until(sessions: pl.LazyFrame, until: datetime) -> pl.LazyFrame:
    """Return user and begin of the sessions of heap_sessions that began by then."""
    return sessions.filter(pl.col(_START) <= until).select(_USER, _START)


def sessions_by_day(sessions: pl.LazyFrame) -> pl.DataFrame:
    """Return day (Date), sessions and users of each day on which a session began."""
    by_day = sessions.group_by(pl.col(_START).dt.date().alias("day"))
    return by_day.agg(pl.len(), pl.col(_USER).n_unique()).collect(engine="streaming")


def funnel_steps(steps: pl.LazyFrame) -> pl.DataFrame:
    """Return funnel, group_value and the figures of each step, in order."""
    ordered = steps.sort("funnel", "group_value", "step_number")
    return ordered.select("funnel", "group_value", *_STEP, *_MEDIANS).collect()


def medians(reached: pl.LazyFrame) -> pl.DataFrame:
    """Return funnel, step_number, and in seconds the median times since the step before and since the first, of all.

    In: funnel_users, in which the steps of a user stand together and in order.
    """
    time = pl.col("step_time").to_physical()
    start = pl.when(pl.col("step_number") == 1).then(time).forward_fill()
    timed = reached.select("funnel", "step_number", previous=time - time.shift(1), start=time - start)
    later = timed.filter(pl.col("step_number") > 1)
    return (
        later.group_by("funnel", "step_number")
        .agg(pl.col("previous", "start").median() / _MICROSECONDS)
        .collect(engine="streaming")
    )


def channels(by_channel: pl.LazyFrame, until: date) -> pl.DataFrame:
    """Return model, channel, conversions, and the first and the last day with one, of attribution_by_channel."""
    days = [pl.col("day").min().alias("first"), pl.col("day").max().alias("last")]
    found = by_channel.filter(pl.col("day") <= until).group_by("model", "channel", maintain_order=True)
    return found.agg(pl.col("conversions").sum(), *days).collect()


def weeks(retention: pl.LazyFrame, until: date) -> pl.DataFrame:
    """Return cohort, cohort_size, periods_since and rate of the weeks of retention that have begun."""
    begun = pl.col("cohort") + pl.duration(weeks=pl.col("periods_since")) <= until
    found = retention.filter(pl.col("period") == "week", begun).sort("cohort", "periods_since")
    return found.select("cohort", "cohort_size", "periods_since", "rate").collect()
