"""Pageview sessions: a pause longer than the gap begins a new one, for each user by itself.

Here: pageviews on resolved users in, heap_pageviews out. Not here: merges (pipeline/), Heap's own sessions
(test_sessions.py).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.pageview_sessions import heap_pageviews
from heap_assets_tests.oracles import analytics_pageviews as oracle
from heap_assets_tests.transforms.user_local import assert_user_local, rows_of

NINE = datetime(2024, 6, 1, 9)  # noqa: DTZ001 (UTC without zone, as stored)
GAP = timedelta(minutes=30)
TICK = timedelta(microseconds=1)
TYPES = {
    "event_id": pl.Int64,
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "time": pl.Datetime("us"),
    "domain": pl.String,
    "title": pl.String,
    "previous_page": pl.String,
    "heap_previous_page": pl.String,
}
COLUMNS = {
    "heap_pageview_id": pl.Int64,
    "heap_user_id": pl.Int64,
    "heap_session_id": pl.Int64,
    "heap_pageview_time": pl.Datetime("us"),
    "heap_pageview_domain": pl.String,
    "heap_pageview_path": pl.String,
    "heap_pageview_query": pl.String,
    "heap_pageview_hash": pl.String,
    "heap_pageview_title": pl.String,
    "heap_pageview_previous_page": pl.String,
    "heap_pageview_session_id": pl.String,
    "heap_pageview_session_index": pl.Int64,
    "heap_pageview_session_sequence_number": pl.Int64,
    "heap_pageview_session_start_time": pl.Datetime("us"),
    "heap_pageview_session_end_time": pl.Datetime("us"),
    "heap_pageview_session_first_pageview_id": pl.Int64,
    "heap_pageview_session_last_pageview_id": pl.Int64,
    "heap_pageview_session_start_epoch": pl.Int64,
    "heap_pageview_session_end_epoch": pl.Int64,
}


def frame(views: list[dict]) -> pl.DataFrame:
    return pl.DataFrame(views, schema=TYPES)


def sessionized(*views: tuple[int, int, datetime | None]) -> pl.DataFrame:
    rows = [{"event_id": event, "user_id": user, "time": time} for event, user, time in views]
    found = heap_pageviews(frame(rows), session_gap=GAP)
    assert list(found.schema.items()) == list(COLUMNS.items())
    return found


def sessions_of(*views: tuple[int, int, datetime | None]) -> dict[int, str]:
    found = sessionized(*views)
    return dict(found.select("heap_pageview_id", "heap_pageview_session_id").iter_rows())


def test_a_pause_of_exactly_the_gap_is_still_the_same_session():
    assert sessions_of((1, 7, NINE), (2, 7, NINE + GAP)) == {1: "7-0", 2: "7-0"}


def test_a_microsecond_more_begins_the_next_session():
    assert sessions_of((1, 7, NINE), (2, 7, NINE + GAP + TICK)) == {1: "7-0", 2: "7-1"}


def test_pauses_are_measured_from_one_pageview_to_the_next_and_not_from_the_start():
    assert set(sessions_of(*((place, 7, NINE + place * GAP) for place in range(9))).values()) == {"7-0"}


def test_every_user_begins_at_index_zero():
    assert sessions_of((1, 8, NINE), (2, 7, NINE), (3, 7, NINE + 2 * GAP)) == {1: "8-0", 2: "7-0", 3: "7-1"}


def test_a_session_tells_its_ends_on_all_of_its_rows():
    found = sessionized((3, 7, NINE + timedelta(seconds=1.5)), (2, 7, NINE), (1, 7, NINE))
    of_session = found.select(pl.col("^heap_pageview_session_(start|end|first|last).*$")).unique()
    epoch = 1_717_232_400
    assert of_session.rows() == [(NINE, NINE + timedelta(seconds=1.5), 1, 3, epoch, epoch + 1)]
    assert found["heap_pageview_session_sequence_number"].to_list() == [1, 2, 3]
    assert found["heap_pageview_id"].to_list() == [1, 2, 3]


def test_a_pageview_without_a_time_joins_the_last_session_and_ends_none():
    found = sessionized((1, 7, None), (2, 7, NINE), (3, 7, NINE + 2 * GAP)).filter(heap_pageview_id=1)
    assert found["heap_pageview_session_id"].item() == "7-1"
    assert found["heap_pageview_session_sequence_number"].item() == 2
    assert found["heap_pageview_session_last_pageview_id"].item() == 3
    assert found["heap_pageview_session_end_time"].item() == NINE + 2 * GAP


def test_a_user_without_any_timed_pageview_has_one_session_with_null_times():
    found = sessionized((5, 7, None), (4, 7, None), (1, 8, NINE)).filter(heap_user_id=7)
    of_session = found.select(pl.col("^heap_pageview_session_(id|start|end|first|last).*$")).unique()
    assert of_session.rows() == [("7-0", None, None, 4, None, None, None)]


def test_the_page_before_is_the_previous_page_else_heaps_own():
    views = [
        {"event_id": 1, "user_id": 7, "previous_page": "/a", "heap_previous_page": "/b"},
        {"event_id": 2, "user_id": 7, "previous_page": None, "heap_previous_page": "/b"},
    ]
    assert heap_pageviews(frame(views))["heap_pageview_previous_page"].to_list() == ["/a", "/b"]


def test_columns_that_the_export_lacks_are_null_and_numbers_become_text():
    bare = pl.DataFrame({"event_id": [1], "user_id": [7], "time": [NINE], "title": [404]})
    found = heap_pageviews(bare)
    assert list(found.schema.items()) == list(COLUMNS.items())
    assert found.select("heap_session_id", "heap_pageview_domain", "heap_pageview_title").row(0) == (None, None, "404")


def test_there_may_be_no_pageviews():
    assert sessionized().is_empty()


_steps = st.sampled_from([timedelta(0), TICK, GAP - TICK, GAP, GAP + TICK, timedelta(days=3)])


@st.composite
def _pageviews(draw: st.DrawFn) -> list[dict]:
    views, clock = [], NINE - timedelta(days=20_000)
    texts = st.sampled_from([None, "", "/a", "/b"])
    for event in draw(st.lists(st.integers(-9, 99), unique=True, max_size=14)):
        clock += draw(_steps)
        view = {name: draw(texts) for name in ("domain", "title", "previous_page", "heap_previous_page")}
        time = draw(st.sampled_from([clock, clock, clock, None]))
        session = draw(st.sampled_from([None, 1]))
        views.append(
            {"event_id": event, "user_id": draw(st.integers(1, 3)), "session_id": session, "time": time, **view}
        )
    return views


@settings(max_examples=60, deadline=None)
@given(views=_pageviews(), data=st.data())
def test_any_pageviews_are_cut_as_the_plain_reading_does(views, data):
    found = heap_pageviews(frame(views), session_gap=GAP)
    assert rows_of(found) == sorted(oracle.heap_pageviews(views, GAP), key=repr)
    assert_user_local(heap_pageviews, {"pageviews": frame(views)}, data, user={"pageviews": "user_id"})
