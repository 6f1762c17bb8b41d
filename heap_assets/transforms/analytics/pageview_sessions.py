"""Pageview sessions: each user's pageviews, cut where the pause between two of them is longer than the gap.

In: pageviews on resolved users. Out: heap_pageviews. A function of one user's rows.
Source: stg_heap_pageview_sessions_inc_fct of Heap's dbt project (index from 0, a gap strictly greater than 30 minutes),
with the ends of sessions that it means and does not compute; CONTRACT section 4.
"""

from datetime import timedelta

import polars as pl

from heap_assets.transforms.analytics.runs import begins_run, in_order, place_in_run
from heap_assets.transforms.analytics.text_columns import text_column

SESSION_GAP = timedelta(minutes=30)

_USER, _TIME, _ID = "heap_user_id", "heap_pageview_time", "heap_pageview_id"
_SESSION = "heap_pageview_session"
_TEXTS = ("domain", "path", "query", "hash", "title")


def heap_pageviews(pageviews: pl.DataFrame, *, session_gap: timedelta = SESSION_GAP) -> pl.DataFrame:
    """Return heap_pageviews, one row per pageview, sorted by user, time and id.

    In: event_id, user_id (Int64), time (Datetime us, null sorts last); session_id (Int64) and domain, path, query,
    hash, title, previous_page, heap_previous_page where the export has them.
    Out: heap_pageview_id, heap_user_id, heap_session_id (Int64), heap_pageview_time (Datetime us),
    heap_pageview_domain, _path, _query, _hash, _title, _previous_page (String), and of the pageview session
    heap_pageview_session_id (String, ``<user>-<index>``), _index, _sequence_number (Int64), _start_time, _end_time
    (Datetime us), _first_pageview_id, _last_pageview_id, _start_epoch, _end_epoch (Int64).

    A pageview without a time belongs to the user's last session and ends none; a session of such rows alone has null
    times and no last pageview.

    >>> from datetime import datetime
    >>> times = [datetime(2024, 6, 1, 9), datetime(2024, 6, 1, 9, 30), datetime(2024, 6, 1, 10, 0, 1)]
    >>> views = pl.DataFrame({"event_id": [11, 12, 13], "user_id": 7, "time": times})
    >>> heap_pageviews(views)["heap_pageview_session_id"].to_list()
    ['7-0', '7-0', '7-1']
    """
    rows = in_order(_renamed(pageviews), _USER, _TIME, ties=[_ID])
    of_user = begins_run(_USER)
    marked = rows.with_columns((of_user | _follows_a_pause(session_gap)).alias("begins"), of_user.alias("of_user"))
    sessions = _sessions(marked)
    session = pl.Series("session", marked["begins"].cast(pl.Int64).cum_sum() - 1)
    spread = sessions.select(pl.all().gather(session))
    place = (pl.int_range(rows.height, eager=True) - spread["first_row"] + 1).alias(f"{_SESSION}_sequence_number")
    return pl.concat([rows, spread.drop("first_row").insert_column(2, place)], how="horizontal")


def _renamed(pageviews: pl.DataFrame) -> pl.DataFrame:
    columns = pageviews.schema
    previous = pl.coalesce(text_column("previous_page", columns), text_column("heap_previous_page", columns))
    session = pl.col("session_id") if "session_id" in columns else pl.lit(None, dtype=pl.Int64)
    return pageviews.select(
        pl.col("event_id").alias(_ID),
        pl.col("user_id").alias(_USER),
        session.alias("heap_session_id"),
        pl.col("time").alias(_TIME),
        *(text_column(name, columns).alias(f"heap_pageview_{name}") for name in _TEXTS),
        previous.alias("heap_pageview_previous_page"),
    )


def _follows_a_pause(session_gap: timedelta) -> pl.Expr:
    """Return whether a row comes later than the row above by more than the gap; never if one of them has no time."""
    return (pl.col(_TIME).diff() > session_gap).fill_null(value=False)


def _sessions(marked: pl.DataFrame) -> pl.DataFrame:
    """Return one row per session in the order of rows: its columns, and ``first_row``, the position at which it begins.

    The rows with a time are the first of a session, so their number leads from its first row to its last one in time.
    """
    timed = pl.col(_TIME).is_not_null().cast(pl.Int64)
    begins = marked.select(
        "begins",
        "of_user",
        pl.col(_USER, _TIME, _ID),
        pl.int_range(pl.len()).alias("first_row"),
        (timed.cum_sum() - timed).alias("timed_before"),
    ).filter("begins")
    timed_until = pl.col("timed_before").shift(-1, fill_value=marked[_TIME].count())
    timed_rows = timed_until - pl.col("timed_before")
    ends = begins.with_columns(
        (place_in_run(pl.col("of_user")) - 1).alias("index"),
        pl.when(timed_rows > 0).then(pl.col("first_row") + timed_rows - 1).alias("last_row"),
    )
    last = marked.select(pl.col(_TIME, _ID).gather(ends["last_row"]))
    return ends.select(
        pl.format("{}-{}", _USER, "index").alias(f"{_SESSION}_id"),
        pl.col("index").alias(f"{_SESSION}_index"),
        pl.col(_TIME).alias(f"{_SESSION}_start_time"),
        last[_TIME].alias(f"{_SESSION}_end_time"),
        pl.col(_ID).alias(f"{_SESSION}_first_pageview_id"),
        last[_ID].alias(f"{_SESSION}_last_pageview_id"),
        _whole_seconds(pl.col(_TIME)).alias(f"{_SESSION}_start_epoch"),
        _whole_seconds(pl.lit(last[_TIME])).alias(f"{_SESSION}_end_epoch"),
        "first_row",
    )


def _whole_seconds(time: pl.Expr) -> pl.Expr:
    return time.to_physical().floordiv(1_000_000)
