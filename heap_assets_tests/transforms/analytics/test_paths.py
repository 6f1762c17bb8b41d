"""Paths: the first five events of each session that has as many.

Here: heap_events in, paths out. Not here: the sequence of events (test_events.py).
"""

from datetime import datetime

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.events import heap_events
from heap_assets.transforms.analytics.paths import path_counts, paths
from heap_assets_tests.oracles import analytics_journeys as oracle

NINE = datetime(2024, 6, 1, 9)  # noqa: DTZ001 (UTC without zone, as stored)
SCHEMA = {
    "event_table_name": pl.String,
    "event_id": pl.Int64,
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "time": pl.Datetime("us"),
}
Event = tuple[int, int | None, str, datetime | None]


def events_of(rows: list[Event]) -> pl.DataFrame:
    named = [(table, place, user, session, time) for place, (user, session, table, time) in enumerate(rows)]
    return heap_events(pl.DataFrame(named, schema=SCHEMA, orient="row"))


def paths_of(rows: list[Event]) -> list[tuple]:
    found = paths(path_counts(events_of(rows).lazy())).collect()
    steps = {f"step_{place}": pl.String for place in range(1, 6)}
    assert list(found.schema.items()) == list({**steps, "users": pl.Int64, "sessions": pl.Int64}.items())
    return found.rows()


def session(user: int, session_id: int | None, names: str, time: datetime | None = NINE) -> list[Event]:
    return [(user, session_id, name, time) for name in names]


def test_only_the_first_five_events_are_told():
    assert paths_of(session(7, 5, "abcdefgh")) == [(*"abcde", 1, 1)]


def test_a_shorter_session_has_no_path():
    assert paths_of(session(7, 5, "abcd") + session(7, 6, "abcd") + session(8, 5, "ab")) == []


def test_users_and_sessions_that_begin_alike_are_counted_and_the_most_frequent_is_first():
    rows = session(1, 5, "zzzzz") + session(7, 5, "abcde") + session(7, 6, "abcdef") + session(8, 5, "abcde")
    assert paths_of(rows) == [(*"abcde", 2, 3), (*"zzzzz", 1, 1)]


def test_events_without_a_session_are_on_no_path_and_those_without_a_time_come_last():
    assert paths_of(session(7, None, "abcde")) == []
    assert paths_of(session(7, 5, "x", None) + session(7, 5, "abcd")) == [(*"abcdx", 1, 1)]


_events = st.lists(
    st.tuples(
        st.integers(1, 2), st.sampled_from([None, 5, 5, 6]), st.sampled_from("ab"), st.sampled_from([None, NINE])
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(rows=_events)
def test_any_events_lead_to_the_paths_of_the_plain_reading(rows):
    events = events_of(rows)
    expected = sorted(oracle.paths(events.to_dicts()))
    assert sorted(paths(path_counts(events.lazy())).collect().rows()) == expected
