"""Events: each pageview and event once, with its place in its session and in the configured funnel.

Here: all_events on resolved users in, heap_events out. Not here: which rows all_events has (pipeline/).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.events import heap_events
from heap_assets_tests.oracles import analytics_sessions as oracle
from heap_assets_tests.transforms.user_local import assert_user_local, rows_of

NINE = datetime(2024, 6, 1, 9)  # noqa: DTZ001 (UTC without zone, as stored)
TEN = NINE + timedelta(hours=1)
SCHEMA = {
    "event_table_name": pl.String,
    "event_id": pl.Int64,
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "time": pl.Datetime("us"),
}
COLUMNS = {
    "heap_event_id": pl.Int64,
    "heap_user_id": pl.Int64,
    "heap_session_id": pl.Int64,
    "heap_event_name": pl.String,
    "heap_event_time": pl.Datetime("us"),
    "heap_session_event_sequence": pl.Int64,
    "heap_event_funnel_position": pl.Int64,
    "heap_event_is_conversion": pl.Boolean,
}
Row = tuple[str, int, int, int | None, datetime | None]
FUNNEL, CONVERSIONS = ["view", "pageviews", "order"], ["order", "signup"]


def frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def events_of(*rows: Row) -> pl.DataFrame:
    found = heap_events(frame(list(rows)), funnel_events=FUNNEL, conversion_events=CONVERSIONS)
    assert list(found.schema.items()) == list(COLUMNS.items())
    return found


def sequences(*rows: Row) -> dict[tuple[int, str], int | None]:
    found = events_of(*rows).select("heap_event_id", "heap_event_name", "heap_session_event_sequence")
    return {(event, name): sequence for event, name, sequence in found.iter_rows()}


def test_sessions_are_no_events_and_pageviews_are_named_in_the_singular():
    found = events_of(("sessions", 1, 7, 5, NINE), ("pageviews", 2, 7, 5, NINE), ("order", 3, 7, 5, NINE))
    assert found["heap_event_name"].to_list() == ["pageview", "order"]


def test_an_event_that_sits_in_two_tables_counts_twice_in_the_order_of_names():
    assert sequences(("view", 1, 7, 5, NINE), ("order", 1, 7, 5, NINE)) == {(1, "order"): 1, (1, "view"): 2}


def test_the_name_decides_as_it_is_shown():
    assert sequences(("pageviews", 1, 7, 5, NINE), ("pageview_x", 1, 7, 5, NINE)) == {
        (1, "pageview"): 1,
        (1, "pageview_x"): 2,
    }


def test_the_sequence_follows_time_then_id_and_a_null_time_is_last():
    rows: list[Row] = [
        ("view", 1, 7, 5, None),
        ("view", 2, 7, 5, TEN),
        ("view", 4, 7, 5, NINE),
        ("view", 3, 7, 5, NINE),
    ]
    assert sequences(*rows) == {(3, "view"): 1, (4, "view"): 2, (2, "view"): 3, (1, "view"): 4}


def test_every_session_of_every_user_counts_from_one_and_no_session_has_no_sequence():
    rows: list[Row] = [
        ("view", 1, 7, 5, NINE),
        ("view", 2, 7, 6, NINE),
        ("view", 3, 8, 5, NINE),
        ("view", 4, 7, None, NINE),
    ]
    assert sequences(*rows) == {(1, "view"): 1, (2, "view"): 1, (3, "view"): 1, (4, "view"): None}


def test_position_and_conversion_follow_the_table():
    found = events_of(
        *((table, place, 7, 5, NINE) for place, table in enumerate(["pageviews", "order", "signup", "x"]))
    )
    told = found.select("heap_event_name", "heap_event_funnel_position", "heap_event_is_conversion").rows()
    assert told == [("pageview", 2, False), ("order", 3, True), ("signup", 0, True), ("x", 0, False)]


def test_there_may_be_no_events_and_no_configuration():
    assert events_of().is_empty()
    assert heap_events(frame([("x", 1, 7, None, None)])).row(0) == (1, 7, None, "x", None, None, 0, False)


_rows = st.lists(
    st.tuples(
        st.sampled_from(["sessions", "pageviews", "view", "order", "Zoo"]),
        st.integers(1, 4),
        st.integers(1, 3),
        st.sampled_from([None, 5, 6]),
        st.sampled_from([None, NINE, TEN]),
    ),
    max_size=14,
    unique_by=lambda row: row[:3],
)


@settings(max_examples=50, deadline=None)
@given(rows=_rows, data=st.data())
def test_any_events_are_placed_as_the_plain_reading_does(rows, data):
    events = frame(rows)
    expected = oracle.heap_events(events.to_dicts(), FUNNEL, CONVERSIONS)
    assert rows_of(events_of(*rows)) == sorted(expected, key=repr)
    assert_user_local(
        lambda all_events: heap_events(all_events, funnel_events=FUNNEL),
        {"all_events": events},
        data,
        user={"all_events": "user_id"},
    )
