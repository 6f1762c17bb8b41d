"""Events: every pageview and event of all tables, with its place in its session and in the configured funnel.

In: all_events on resolved users. Out: heap_events. A function of one user's rows.
Source: src_heap_events_all_eph and stg_heap_events_all_inc_fct of Heap's dbt project, without their de-duplication
across tables; CONTRACT section 4.
"""

from collections.abc import Sequence

import polars as pl

from heap_assets.transforms.analytics.runs import begins_run, in_order, place_in_run

SESSIONS, PAGEVIEWS, PAGEVIEW = "sessions", "pageviews", "pageview"


def heap_events(
    all_events: pl.DataFrame, *, funnel_events: Sequence[str] = (), conversion_events: Sequence[str] = ()
) -> pl.DataFrame:
    """Return heap_events, one row per row of all_events that is not a session, sorted by user and session.

    In: event_table_name (String), event_id, user_id, session_id (Int64, null outside of one), time (Datetime us, null
    sorts last). The events of the configuration are table names, as in event_table_name.
    Out: heap_event_id, heap_user_id, heap_session_id (Int64), heap_event_name (String), heap_event_time (Datetime us),
    heap_session_event_sequence (Int64, null without a session), heap_event_funnel_position (Int64, 0 for none),
    heap_event_is_conversion (Boolean).

    >>> from datetime import datetime
    >>> rows = pl.DataFrame({"event_table_name": ["signup", "pageviews"], "event_id": [2, 1], "user_id": 7,
    ...                      "session_id": 5, "time": datetime(2024, 6, 1)})
    >>> found = heap_events(rows, conversion_events=["signup"])
    >>> found.select("heap_event_name", "heap_session_event_sequence", "heap_event_is_conversion").rows()
    [('pageview', 1, False), ('signup', 2, True)]
    """
    events = all_events.filter(pl.col("event_table_name") != SESSIONS)
    tables = _tables(events, funnel_events, conversion_events)
    rows = in_order(
        events.select(
            pl.col("event_id").alias("heap_event_id"),
            pl.col("user_id").alias("heap_user_id"),
            pl.col("session_id").cast(pl.Int64).alias("heap_session_id"),
            pl.col("time").alias("heap_event_time"),
            pl.col("event_table_name").cast(pl.Enum(tables["event_table_name"])).to_physical().alias("table"),
        ),
        "heap_user_id",
        "heap_session_id",
        "heap_event_time",
        ties=["heap_event_id", "table"],
    )
    place = place_in_run(begins_run("heap_user_id", "heap_session_id"))
    of_table = tables.select(pl.all().gather(rows["table"]))
    return rows.select(
        "heap_event_id",
        "heap_user_id",
        "heap_session_id",
        of_table["heap_event_name"],
        "heap_event_time",
        pl.when(pl.col("heap_session_id").is_not_null()).then(place).alias("heap_session_event_sequence"),
        of_table["heap_event_funnel_position"],
        of_table["heap_event_is_conversion"],
    )


def _tables(events: pl.DataFrame, funnel_events: Sequence[str], conversion_events: Sequence[str]) -> pl.DataFrame:
    """Return what is the same for all events of a table, one row per table, sorted by the event's name."""
    name = pl.col("event_table_name")
    positions = {event: funnel_events.index(event) + 1 for event in funnel_events}
    return (
        events.select(name.unique())
        .with_columns(
            name.replace(PAGEVIEWS, PAGEVIEW).alias("heap_event_name"),
            name.replace_strict(list(positions), list(positions.values()), default=0, return_dtype=pl.Int64).alias(
                "heap_event_funnel_position"
            ),
            name.is_in(list(conversion_events)).alias("heap_event_is_conversion"),
        )
        .sort("heap_event_name", "event_table_name")
    )
