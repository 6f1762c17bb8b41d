"""Sessions: one row per session, with its place among the user's sessions, its last event and its channel.

In: sessions on resolved users, heap_events. Out: heap_sessions. A function of one user's rows.
Source: stg_heap_sessions_inc_fct of Heap's dbt project, with the conversions outside the funnel that it loses; the end
of a session from heap_sessions_xf of the older packages; CONTRACT section 4.
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from heap_assets.transforms.analytics.channels import ChannelRule, channels, referrer
from heap_assets.transforms.analytics.runs import begins_run, in_order, place_in_run
from heap_assets.transforms.analytics.text_columns import text_column

_LOOK = timedelta(days=14)
_KEY = ("heap_user_id", "heap_session_id")
_PLACE = ("country", "region", "city", "ip")
_ARRIVAL = (
    "landing_page",
    "landing_page_query",
    "landing_page_hash",
    "browser",
    "utm_source",
    "utm_campaign",
    "utm_medium",
    "utm_term",
    "utm_content",
)


def heap_sessions(
    sessions: pl.DataFrame, events: pl.DataFrame, *, rules: Sequence[ChannelRule], own_domains: Sequence[str] = ()
) -> pl.DataFrame:
    """Return heap_sessions, one row per session, sorted by user, start and id.

    In: ``sessions`` has session_id, user_id (Int64), time (Datetime us, null sorts last), and where the export has them
    country, region, city, ip, referrer, landing_page, landing_page_query, landing_page_hash, browser and utm_*;
    ``events`` are the same users' heap_events, the rows of a session together.
    Out: heap_session_id, heap_user_id, heap_session_sequence_num (Int64), heap_session_start_time,
    heap_session_end_time (Datetime us), heap_session_event_count (Int64), heap_session_conversion_lookback_14d,
    heap_session_conversion_lookforward_14d (Datetime us), the columns named above after ``heap_session_``,
    heap_session_defined_channel_attribution (String), heap_session_is_conversion (Boolean).

    >>> from datetime import datetime
    >>> from heap_assets.transforms.analytics.events import heap_events
    >>> nine, ten = datetime(2024, 6, 1, 9), datetime(2024, 6, 1, 10)
    >>> sessions = pl.DataFrame({"session_id": [5], "user_id": [7], "time": [nine]})
    >>> event = {"event_table_name": "signup", "event_id": 1, "user_id": 7, "session_id": 5, "time": ten}
    >>> found = heap_sessions(sessions, heap_events(pl.DataFrame([event])), rules=[])
    >>> found.select("heap_session_end_time", "heap_session_event_count").row(0)
    (datetime.datetime(2024, 6, 1, 10, 0), 1)
    """
    rows = in_order(
        _renamed(sessions, rules, own_domains), "heap_user_id", "heap_session_start_time", ties=["heap_session_id"]
    )
    start, last = pl.col("heap_session_start_time"), pl.col("last_event_time")
    return rows.join(_of_events(events), on=_KEY, how="left", maintain_order="left").select(
        "heap_session_id",
        "heap_user_id",
        place_in_run(begins_run("heap_user_id")).alias("heap_session_sequence_num"),
        "heap_session_start_time",
        pl.max_horizontal(start, last).alias("heap_session_end_time"),
        pl.col("event_count").fill_null(0).alias("heap_session_event_count"),
        (start - _LOOK).alias("heap_session_conversion_lookback_14d"),
        (start + _LOOK).alias("heap_session_conversion_lookforward_14d"),
        *(f"heap_session_{name}" for name in (*_PLACE, "referrer", *_ARRIVAL)),
        "heap_session_defined_channel_attribution",
        pl.col("is_conversion").fill_null(value=False).alias("heap_session_is_conversion"),
    )


def _renamed(sessions: pl.DataFrame, rules: Sequence[ChannelRule], own_domains: Sequence[str]) -> pl.DataFrame:
    columns = sessions.schema
    renamed = sessions.select(
        pl.col("session_id").alias("heap_session_id"),
        pl.col("user_id").alias("heap_user_id"),
        pl.col("time").alias("heap_session_start_time"),
        referrer(columns).alias("heap_session_referrer"),
        *(text_column(name, columns).alias(f"heap_session_{name}") for name in (*_PLACE, *_ARRIVAL)),
    )
    found = channels(sessions, rules=rules, own_domains=own_domains)
    return renamed.with_columns(found.alias("heap_session_defined_channel_attribution"))


def _of_events(events: pl.DataFrame) -> pl.DataFrame:
    in_sessions = events.filter(pl.col("heap_session_id").is_not_null())
    run = begins_run(*_KEY).cum_sum().set_sorted().alias("run")  # half the time of grouping by both ids
    return (
        in_sessions.with_columns(run)
        .group_by("run")
        .agg(
            pl.col(_KEY).first(),
            pl.len().cast(pl.Int64).alias("event_count"),
            pl.col("heap_event_time").max().alias("last_event_time"),
            pl.col("heap_event_is_conversion").any().alias("is_conversion"),
        )
    )
