"""Trends: people, events and sessions per day and event.

Here: heap_events in, trends out, whole and added up of parts. Not here: heap_events (test_events.py).
"""

from datetime import datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.trends import COUNTS, trend_counts, trends
from heap_assets_tests.oracles import analytics_journeys as oracle

SCHEMA = {
    "heap_user_id": pl.Int64,
    "heap_session_id": pl.Int64,
    "heap_event_name": pl.String,
    "heap_event_time": pl.Datetime("us"),
}
Event = tuple[int, int | None, str, datetime | None]


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2024, 6, day, hour)  # noqa: DTZ001 (UTC without zone, as stored)


EVENTS = st.lists(
    st.tuples(
        st.integers(-2, 2),
        st.none() | st.integers(1, 3),
        st.sampled_from(["pageview", "signup", ""]),
        st.none() | st.datetimes(at(1), at(3)),
    ),
    max_size=30,
)


def frame_of(rows: list[Event]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=SCHEMA, orient="row")


def trends_of(rows: list[Event]) -> list[tuple]:
    found = trends(trend_counts(frame_of(rows))).collect()
    kinds = {"day": pl.Date, "event_name": pl.String, **dict.fromkeys(("users", "events", "sessions"), pl.Int64)}
    assert list(found.schema.items()) == list(kinds.items())
    return found.rows()


def test_people_events_and_sessions_are_counted_once_each_and_sorted():
    rows = [(7, 5, "b", at(2)), (7, 5, "b", at(2)), (7, 6, "b", at(2)), (8, 5, "b", at(2)), (8, 5, "a", at(1))]
    assert trends_of(rows) == [(at(1).date(), "a", 1, 1, 1), (at(2).date(), "b", 2, 4, 3)]


def test_an_event_without_a_session_counts_and_adds_no_session():
    assert trends_of([(7, None, "a", at(1)), (7, None, "a", at(1))]) == [(at(1).date(), "a", 1, 2, 0)]


def test_a_day_ends_at_midnight_utc_and_an_event_without_a_time_takes_no_part():
    rows = [(7, 5, "a", at(1, 23)), (7, 5, "a", at(2, 0)), (7, 5, "a", None)]
    assert trends_of(rows) == [(at(1).date(), "a", 1, 1, 1), (at(2).date(), "a", 1, 1, 1)]


@given(rows=EVENTS)
@settings(max_examples=100)
def test_trends_are_those_of_the_oracle(rows):
    events = [dict(zip(SCHEMA, row, strict=True)) for row in rows]
    assert trends_of(rows) == sorted(oracle.trends(events))


@given(rows=EVENTS)
@settings(max_examples=50)
def test_what_groups_of_users_add_is_the_whole(rows):
    parts = [trend_counts(frame_of([row for row in rows if row[0] % 3 == part])) for part in range(3)]
    added = pl.concat(parts).group_by("day", "event_name").agg(pl.col(count).sum() for count in COUNTS)
    assert trends(added).collect().rows() == trends_of(rows)
