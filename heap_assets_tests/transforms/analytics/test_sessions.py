"""Sessions and first sessions: places in order, ends, counts, and what a user's first session tells of the user.

Here: sessions and events on resolved users in, heap_sessions and heap_users out. Not here: which rule names which
channel (test_channels.py).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.config.channels import DEFAULT_CHANNELS
from heap_assets.transforms.analytics.enriched_users import INITIAL_COLUMNS, heap_users
from heap_assets.transforms.analytics.events import heap_events
from heap_assets.transforms.analytics.sessions import heap_sessions
from heap_assets_tests.oracles import analytics_channels, analytics_sessions
from heap_assets_tests.transforms.user_local import assert_user_local, rows_of

NINE = datetime(2024, 6, 1, 9)  # noqa: DTZ001 (UTC without zone, as stored)
TEN = NINE + timedelta(hours=1)
DAYS = timedelta(days=14)
SESSION = {
    "session_id": pl.Int64,
    "user_id": pl.Int64,
    "time": pl.Datetime("us"),
    "referrer": pl.String,
    "utm_source": pl.String,
    "city": pl.String,
    "platform": pl.String,
}
EVENT = {
    "event_table_name": pl.String,
    "event_id": pl.Int64,
    "user_id": pl.Int64,
    "session_id": pl.Int64,
    "time": pl.Datetime("us"),
}
TEXTS = ("country", "region", "city", "ip", "referrer", *analytics_sessions.ARRIVAL, "defined_channel_attribution")
COLUMNS = {
    "heap_session_id": pl.Int64,
    "heap_user_id": pl.Int64,
    "heap_session_sequence_num": pl.Int64,
    "heap_session_start_time": pl.Datetime("us"),
    "heap_session_end_time": pl.Datetime("us"),
    "heap_session_event_count": pl.Int64,
    "heap_session_conversion_lookback_14d": pl.Datetime("us"),
    "heap_session_conversion_lookforward_14d": pl.Datetime("us"),
    **{f"heap_session_{name}": pl.String for name in TEXTS},
    "heap_session_is_conversion": pl.Boolean,
}


def session(session_id: int, time: datetime | None, user_id: int = 7, **columns: str | None) -> dict:
    return {"session_id": session_id, "user_id": user_id, "time": time, **columns}


def event(
    event_id: int, time: datetime | None, table: str = "view", user_id: int = 7, session_id: int | None = 5
) -> dict:
    return {
        "event_table_name": table,
        "event_id": event_id,
        "user_id": user_id,
        "session_id": session_id,
        "time": time,
    }


def sessions_of(sessions: list[dict], events: list[dict] = ()) -> pl.DataFrame:
    frame = pl.DataFrame(sessions, schema=SESSION)
    found = heap_events(pl.DataFrame(list(events), schema=EVENT), conversion_events=["order"])
    result = heap_sessions(frame, found, rules=DEFAULT_CHANNELS, own_domains=["shop.example"])
    assert list(result.schema.items()) == list(COLUMNS.items())
    return result


def users_of(users: pl.DataFrame, sessions: list[dict]) -> pl.DataFrame:
    return heap_users(users, pl.DataFrame(sessions, schema=SESSION), rules=DEFAULT_CHANNELS)


def test_sessions_are_numbered_by_start_then_id_and_a_null_start_is_last():
    found = sessions_of([session(1, None), session(2, TEN), session(4, NINE), session(3, NINE), session(9, TEN, 8)])
    numbers = dict(found.select("heap_session_id", "heap_session_sequence_num").iter_rows())
    assert numbers == {3: 1, 4: 2, 2: 3, 1: 4, 9: 1}


def test_a_session_ends_with_the_later_of_its_start_and_its_last_event():
    late, early = event(1, TEN), event(2, NINE - DAYS)
    assert sessions_of([session(5, NINE)], [late, early])["heap_session_end_time"].item() == TEN
    assert sessions_of([session(5, NINE)], [early])["heap_session_end_time"].item() == NINE
    assert sessions_of([session(5, NINE)])["heap_session_end_time"].item() == NINE


def test_an_event_without_a_time_is_counted_and_ends_no_session():
    found = sessions_of([session(5, NINE)], [event(1, None)])
    assert found.select("heap_session_end_time", "heap_session_event_count").row(0) == (NINE, 1)


def test_a_session_without_a_start_ends_with_its_last_event_and_has_no_windows():
    found = sessions_of([session(5, None)], [event(1, NINE)])
    assert found.select(pl.col("^heap_session_(end_time|conv.*)$")).row(0) == (NINE, None, None)


def test_windows_reach_fourteen_days_to_both_sides_of_the_start():
    found = sessions_of([session(5, NINE)])
    assert found.select(pl.col("^heap_session_conv.*$")).row(0) == (NINE - DAYS, NINE + DAYS)


def test_only_a_conversion_of_that_user_in_that_session_counts():
    sessions = [session(5, NINE), session(6, NINE), session(5, NINE, 8)]
    order = [event(1, None, "order"), event(2, TEN, "view", session_id=6), event(3, TEN, "order", session_id=None)]
    converted = sessions_of(sessions, order).filter("heap_session_is_conversion")
    assert converted.select("heap_user_id", "heap_session_id").rows() == [(7, 5)]


def test_a_direct_referrer_is_null_and_the_channel_is_named():
    found = sessions_of([session(5, NINE, referrer="direct"), session(6, TEN, referrer="https://a.shop.example/")])
    assert found.select("heap_session_referrer", "heap_session_defined_channel_attribution").rows() == [
        (None, "Direct"),
        ("https://a.shop.example/", "Self-referral"),
    ]


def test_there_may_be_no_sessions():
    assert sessions_of([], [event(1, NINE)]).is_empty()


def test_a_user_tells_of_the_earliest_session_then_of_the_smallest_id():
    users = pl.DataFrame({"user_id": [7, 8], "plan": ["gold", None]})
    sessions = [session(1, None, city="Rome"), session(4, NINE, city="Bern"), session(3, NINE, city="Oslo")]
    found = users_of(users, sessions)
    assert found.columns == ["user_id", "plan", *INITIAL_COLUMNS]
    told = found.select("user_id", "plan", "initial_session_time", "initial_city", "initial_marketing_channel")
    assert sorted(told.rows()) == [(7, "gold", NINE, "Oslo", "Direct"), (8, None, None, None, None)]


def test_a_users_own_column_that_meets_one_of_ours_gets_a_suffix():
    users = pl.DataFrame({"user_id": [7], "Initial_City": ["Paris"], "initial_referrer": ["me"]})
    found = users_of(users, [session(1, NINE, city="Oslo", referrer="")])
    shown = found.select("Initial_City_2", "initial_city", "initial_referrer_2", "initial_referrer")
    assert shown.row(0) == ("Paris", "Oslo", "me", None)


_texts = st.sampled_from([None, "", "direct", "google", "https://shop.example/"])
_sessions = st.lists(
    st.builds(
        session,
        st.sampled_from([5, 6, 7, 8]),
        st.sampled_from([None, NINE, NINE, TEN]),
        st.integers(1, 3),
        referrer=_texts,
        utm_source=_texts,
        city=_texts,
        platform=_texts,
    ),
    max_size=9,
    unique_by=lambda row: (row["session_id"], row["user_id"]),
)
_events = st.lists(
    st.builds(
        event,
        st.integers(1, 4),
        st.sampled_from([None, NINE - DAYS, NINE, TEN + DAYS]),
        st.sampled_from(["pageviews", "view", "order"]),
        st.integers(1, 3),
        st.sampled_from([None, 5, 6]),
    ),
    max_size=9,
    unique_by=lambda row: (row["event_table_name"], row["event_id"], row["user_id"]),
)


def channel_of(session: dict) -> str:
    return analytics_channels.channel(session, DEFAULT_CHANNELS, ["shop.example"])


@settings(max_examples=40, deadline=None)
@given(sessions=_sessions, events=_events, data=st.data())
def test_any_sessions_are_told_as_the_plain_reading_does(sessions, events, data):
    named = analytics_sessions.heap_events(events, [], ["order"])
    expected = analytics_sessions.heap_sessions(sessions, named, channel_of)
    assert rows_of(sessions_of(sessions, events)) == sorted(expected, key=repr)
    assert_user_local(
        lambda sessions, events: heap_sessions(sessions, events, rules=DEFAULT_CHANNELS),
        {"sessions": pl.DataFrame(sessions, schema=SESSION), "events": heap_events(pl.DataFrame(events, schema=EVENT))},
        data,
        user={"sessions": "user_id", "events": "heap_user_id"},
        in_order=["events"],
    )


@settings(max_examples=40, deadline=None)
@given(sessions=_sessions, data=st.data())
def test_any_users_are_told_as_the_plain_reading_does(sessions, data):
    def told(users: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
        return heap_users(users, sessions, rules=DEFAULT_CHANNELS, own_domains=["shop.example"])

    frames = {
        "users": pl.DataFrame({"user_id": [1, 2, 4], "plan": ["gold", None, "free"]}),
        "sessions": pl.DataFrame(sessions, schema=SESSION),
    }
    expected = analytics_sessions.heap_users(frames["users"].to_dicts(), sessions, channel_of)
    assert rows_of(told(**frames)) == sorted(expected, key=repr)
    assert_user_local(told, frames, data, user={"users": "user_id", "sessions": "user_id"})
