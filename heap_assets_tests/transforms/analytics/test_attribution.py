"""Attribution: the sessions before a conversion share it, by six models; the shares of each add up to one.

Here: heap_events and heap_sessions in, attribution out. Not here: what a session's channel is (test_channels.py).
"""

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.attribution import (
    attribution,
    attribution_by_channel,
    cut_conversions,
    share_counts,
)
from heap_assets_tests.oracles import analytics_attribution as oracle
from heap_assets_tests.transforms.user_local import assert_user_local

NOON = datetime(2024, 6, 15, 12)  # noqa: DTZ001 (UTC without zone, as stored)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
EVENT = {
    "heap_event_id": pl.Int64,
    "heap_user_id": pl.Int64,
    "heap_event_name": pl.String,
    "heap_event_time": pl.Datetime("us"),
    "heap_event_is_conversion": pl.Boolean,
}
SESSION = {
    "heap_session_id": pl.Int64,
    "heap_user_id": pl.Int64,
    "heap_session_start_time": pl.Datetime("us"),
    "heap_session_defined_channel_attribution": pl.String,
}
COLUMNS = {
    "model": pl.String,
    "heap_event_id": pl.Int64,
    "heap_event_name": pl.String,
    "heap_user_id": pl.Int64,
    "conversion_time": pl.Datetime("us"),
    "heap_session_id": pl.Int64,
    "channel": pl.String,
    "weight": pl.Float64,
}
Session = tuple[int, int, datetime | None, str]
ORDER = (1, 7, "order", NOON, True)


def frames_of(events: list[tuple], sessions: list[Session]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return pl.DataFrame(events, schema=EVENT, orient="row"), pl.DataFrame(sessions, schema=SESSION, orient="row")


def attributed(events: list[tuple], sessions: list[Session], **settings: object) -> pl.DataFrame:
    found = attribution(*frames_of(events, sessions), **settings)
    assert list(found.schema.items()) == list(COLUMNS.items())
    return found


def before(session: int, pause: timedelta, channel: str = "Paid", user: int = 7) -> Session:
    return (session, user, NOON - pause, channel)


def weights(model: str, *sessions: Session, **settings: object) -> dict[int | None, float]:
    rows = attributed([ORDER], list(sessions), **settings).filter(model=model)
    return dict(rows.select("heap_session_id", "weight").iter_rows())


def test_both_ends_of_the_lookback_are_in():
    inside = [before(1, 14 * DAY), before(2, timedelta(0))]
    outside = [before(3, 14 * DAY + TICK), before(4, -TICK)]
    assert weights("linear", *inside, *outside) == {1: 0.5, 2: 0.5}
    assert weights("linear", *inside, *outside, lookback=DAY) == {2: 1.0}


def test_a_conversion_without_a_touch_is_unattributed_under_every_model():
    found = attributed([ORDER], [before(1, 99 * DAY), before(2, DAY, user=8), (3, 7, None, "Paid")])
    assert found["model"].to_list() == list(oracle.MODELS)
    assert found.drop("model").unique().rows() == [(1, "order", 7, NOON, None, "Unattributed", 1.0)]


def test_first_and_last_touch_are_by_start_then_session():
    touches = [before(3, 2 * DAY), before(2, 2 * DAY), before(5, DAY), before(4, DAY)]
    assert weights("first_touch", *touches) == {2: 1.0}
    assert weights("last_touch", *touches) == {5: 1.0}


def test_direct_touches_are_passed_over_unless_there_is_nothing_else():
    direct = [before(2, 2 * DAY, "Direct"), before(3, DAY, "Direct")]
    assert weights("last_non_direct_touch", before(1, 3 * DAY), *direct) == {1: 1.0}
    assert weights("last_non_direct_touch", *direct) == {3: 1.0}
    assert weights("last_non_direct_touch", before(1, 20 * DAY), *direct) == {3: 1.0}
    assert weights("last_non_direct_touch", before(1, DAY, user=6), *direct) == {3: 1.0}


def test_the_ends_get_forty_percent_each():
    touches = [before(place, (9 - place) * DAY) for place in range(1, 5)]
    assert weights("position_based", *touches) == pytest.approx({1: 0.4, 2: 0.1, 3: 0.1, 4: 0.4})
    assert weights("position_based", *touches[:2]) == {1: 0.5, 2: 0.5}
    assert weights("position_based", *touches[:1]) == {1: 1.0}


def test_a_half_life_halves_the_weight():
    found = weights("time_decay", before(1, 7 * DAY + 3 * DAY), before(2, 3 * DAY))
    assert found == pytest.approx({1: 1 / 3, 2: 2 / 3})
    assert weights("time_decay", before(1, 2 * DAY), before(2, DAY), half_life=DAY) == pytest.approx(
        {1: 1 / 3, 2: 2 / 3}
    )


def test_very_old_touches_do_not_vanish_together_and_those_of_no_weight_are_no_rows():
    second = timedelta(seconds=1)
    found = weights("time_decay", before(1, 9 * DAY), before(2, 8 * DAY + second), before(3, 8 * DAY), half_life=second)
    assert found == pytest.approx({2: 1 / 3, 3: 2 / 3})


def test_of_too_many_touches_the_first_and_the_newest_others_count_in_every_model():
    paid, direct = (
        [before(1, 5 * DAY), before(2, 4 * DAY)],
        [before(place, (6 - place) * DAY, "Direct") for place in (3, 4, 5)],
    )
    most = {"max_touches": 3}
    assert weights("first_touch", *paid, *direct, **most) == {1: 1.0}
    assert weights("last_touch", *paid, *direct, **most) == {5: 1.0}
    assert weights("last_non_direct_touch", *paid, *direct, **most) == {1: 1.0}
    assert weights("last_non_direct_touch", before(1, 5 * DAY, "Direct"), paid[1], *direct, **most) == {5: 1.0}
    assert weights("linear", *paid, *direct, **most) == pytest.approx({1: 1 / 3, 4: 1 / 3, 5: 1 / 3})
    assert weights("position_based", *paid, *direct, **most) == pytest.approx({1: 0.4, 4: 0.2, 5: 0.4})
    assert weights("time_decay", *paid, *direct, half_life=DAY, **most) == pytest.approx(
        {1: 1 / 25, 4: 8 / 25, 5: 16 / 25}
    )
    assert weights("linear", *paid, *direct, max_touches=5) == dict.fromkeys(range(1, 6), 0.2)
    assert weights("linear", *paid, *direct, max_touches=2) == {1: 0.5, 5: 0.5}


def test_what_is_made_of_one_user_is_bounded_by_the_touches_that_count():
    sessions = [before(place, timedelta(seconds=place)) for place in range(3_000)]
    events = [(place, 7, "order", NOON + timedelta(seconds=place), True) for place in range(200)]
    found = attributed(events, sessions, max_touches=10)
    assert found.height == 200 * (3 + 3 * 10)
    cut = cut_conversions(*frames_of(events, sessions), max_touches=10)
    assert cut.select("heap_event_id", "touches").rows() == [(place, 3_000) for place in range(200)]
    assert cut_conversions(*frames_of(events, sessions), max_touches=3_000).is_empty()


def test_every_conversion_counts_by_itself_even_of_one_event_in_two_tables():
    events = [ORDER, (1, 7, "signup", NOON, True), (2, 7, "order", NOON + DAY, True), (3, 7, "view", NOON, False)]
    found = attributed(events, [before(1, DAY)]).filter(model="linear")
    assert sorted(found.select("heap_event_id", "heap_event_name", "weight").rows()) == [
        (1, "order", 1.0),
        (1, "signup", 1.0),
        (2, "order", 1.0),
    ]


def test_a_conversion_without_a_time_is_left_out():
    assert attributed([(1, 7, "order", None, True)], [before(1, DAY)]).is_empty()
    assert attributed([], []).is_empty()


def test_channels_are_summed_by_utc_day():
    events = [ORDER, (2, 7, "order", NOON + DAY, True), (3, 8, "order", NOON, True)]
    found = attributed(events, [before(1, DAY, "A"), before(2, timedelta(0), "B")])
    summed = attribution_by_channel(share_counts(found.lazy())).collect()
    assert list(summed.schema.items()) == [
        ("model", pl.String),
        ("day", pl.Date),
        ("channel", pl.String),
        ("conversions", pl.Float64),
    ]
    assert summed.filter(model="linear").drop("model").rows() == [
        (date(2024, 6, 15), "A", 0.5),
        (date(2024, 6, 15), "B", 0.5),
        (date(2024, 6, 15), "Unattributed", 1.0),
        (date(2024, 6, 16), "A", 0.5),
        (date(2024, 6, 16), "B", 0.5),
    ]


_times = st.sampled_from(
    [None, NOON - DAY - TICK, NOON - DAY, NOON - TICK, NOON, NOON, NOON + TICK, NOON + DAY, NOON + 2 * DAY]
)
_events = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 3), st.sampled_from(["order", "signup"]), _times, st.booleans()),
    max_size=6,
    unique_by=lambda row: row[:3],
)
_sessions = st.lists(
    st.tuples(st.integers(1, 9), st.integers(1, 3), _times, st.sampled_from(["Direct", "Paid", "Unattributed"])),
    max_size=12,
    unique_by=lambda row: row[:2],
)
KEY = ("model", "heap_event_id", "heap_event_name", "heap_user_id", "conversion_time", "heap_session_id", "channel")


def by_key(rows: list[dict]) -> dict[tuple, float]:
    return {tuple(row[name] for name in KEY): row["weight"] for row in rows}


@settings(max_examples=50, deadline=None)
@given(events=_events, sessions=_sessions, data=st.data())
def test_any_conversions_are_shared_as_the_plain_reading_does(events, sessions, data):
    lengths = {
        "lookback": data.draw(st.sampled_from([TICK, DAY, 2 * DAY])),
        "half_life": DAY,
        "max_touches": data.draw(st.integers(2, 5)),
    }
    found = attributed(events, sessions, **lengths)
    frames = {
        "events": pl.DataFrame(events, schema=EVENT, orient="row"),
        "sessions": pl.DataFrame(sessions, schema=SESSION, orient="row"),
    }
    expected = oracle.attribution(frames["events"].to_dicts(), frames["sessions"].to_dicts(), **lengths)
    assert by_key(found.to_dicts()) == pytest.approx(by_key(expected))
    assert len(found) == len(expected)
    shares = found.group_by(KEY[:4]).agg(pl.col("weight").sum())["weight"]
    assert shares.to_list() == pytest.approx([1.0] * len(shares))
    summed = attribution_by_channel(share_counts(found.lazy())).collect()
    assert {tuple(row[:3]): row[3] for row in summed.rows()} == pytest.approx(oracle.attribution_by_channel(expected))
    assert_user_local(
        lambda **frames: attribution(**frames, **lengths),
        frames,
        data,
        user={"events": "heap_user_id", "sessions": "heap_user_id"},
    )
