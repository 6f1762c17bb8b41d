"""Retention: users are counted by the week and by the month in which they first came, and those after.

Here: heap_sessions in, retention out.
"""

from datetime import date, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.retention import retention, retention_counts
from heap_assets_tests.oracles import analytics_journeys as oracle

MONDAY = datetime(2024, 6, 3)  # noqa: DTZ001 (UTC without zone, as stored)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
SCHEMA = {"heap_user_id": pl.Int64, "heap_session_start_time": pl.Datetime("us")}
COLUMNS = {
    "period": pl.String,
    "cohort": pl.Date,
    "periods_since": pl.Int64,
    "users": pl.Int64,
    "cohort_size": pl.Int64,
    "rate": pl.Float64,
}
Session = tuple[int, datetime | None]


def rows_of(sessions: list[Session]) -> list[tuple]:
    rows = pl.LazyFrame(sessions, schema=SCHEMA, orient="row").sort(*SCHEMA, nulls_last=True)
    found = retention(retention_counts(rows)).collect()
    assert list(found.schema.items()) == list(COLUMNS.items())
    return found.rows()


def weeks(*sessions: Session) -> list[tuple]:
    return [row[1:] for row in rows_of(list(sessions)) if row[0] == "week"]


def months(*sessions: Session) -> list[tuple]:
    return [row[1:] for row in rows_of(list(sessions)) if row[0] == "month"]


def test_a_week_begins_on_monday_at_midnight():
    before = date(2024, 5, 27)
    assert weeks((1, MONDAY - TICK)) == [(before, 0, 1, 1, 1.0)]
    assert weeks((1, MONDAY - TICK), (1, MONDAY)) == [(before, 0, 1, 1, 1.0), (before, 1, 1, 1, 1.0)]


def test_months_are_counted_over_the_turn_of_the_year():
    december = datetime(2023, 12, 31, 23)  # noqa: DTZ001
    cohort = date(2023, 12, 1)
    assert months((1, december), (1, december + 62 * DAY)) == [(cohort, 0, 1, 1, 1.0), (cohort, 3, 1, 1, 1.0)]


def test_a_user_belongs_to_one_cohort_and_counts_once_a_period():
    sessions = [(1, MONDAY), (1, MONDAY), (1, MONDAY + 8 * DAY), (2, MONDAY + 6 * DAY), (3, MONDAY + 8 * DAY)]
    assert weeks(*sessions) == [
        (MONDAY.date(), 0, 2, 2, 1.0),
        (MONDAY.date(), 1, 1, 2, 0.5),
        ((MONDAY + 7 * DAY).date(), 0, 1, 1, 1.0),
    ]


def test_sessions_without_a_start_take_no_part():
    assert rows_of([(1, None)]) == []


_starts = (
    st.none()
    | st.integers(-900, 900).map(lambda days: MONDAY + days * DAY)
    | st.sampled_from(
        [MONDAY - TICK, MONDAY, MONDAY + 7 * DAY - TICK, datetime(1969, 12, 28)]  # noqa: DTZ001
    )
)


@settings(max_examples=60, deadline=None)
@given(sessions=st.lists(st.tuples(st.integers(1, 5), _starts), max_size=14))
def test_any_sessions_are_counted_as_the_plain_reading_does(sessions):
    assert rows_of(sessions) == sorted(oracle.retention(sessions))
