"""Freshness as a table: what is told of which time, and what is reported to Dagster."""

from datetime import UTC, datetime, timedelta

import pytest

from heap_assets.quality.freshness import data_time_to_report, freshness
from heap_assets.quality.outcome import Verdict

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
WARN, FAIL = timedelta(hours=26), timedelta(hours=50)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@pytest.mark.parametrize(
    ("synced_to", "verdict", "lag"),
    [
        (ago(0), Verdict.PASSED, 0.0),
        (ago(25.9), Verdict.PASSED, 25.9),
        (ago(26), Verdict.WARNING, 26.0),
        (ago(49.9), Verdict.WARNING, 49.9),
        (ago(50), Verdict.FAILED, 50.0),
        (ago(5000), Verdict.FAILED, 5000.0),
        (ago(-3), Verdict.PASSED, 0.0),
        (None, Verdict.WARNING, None),
    ],
)
def test_the_verdict_follows_the_age_of_the_data(synced_to, verdict, lag):
    outcome = freshness(synced_to, now=NOW, warn=WARN, fail=FAIL)
    assert (outcome.verdict, outcome.numbers.get("lag_hours")) == (verdict, lag)
    assert outcome.passed is (verdict is Verdict.PASSED)
    assert outcome.message


def test_the_limits_are_told_with_the_lag():
    outcome = freshness(ago(30), now=NOW, warn=WARN, fail=FAIL)
    assert outcome.message == "The newest data is 30.0 h old; a warning is due at 26 h, a failure at 50 h."
    assert outcome.numbers == {"lag_hours": 30.0, "warn_hours": 26.0, "fail_hours": 50.0}


@pytest.mark.parametrize(
    ("synced_to", "reported", "told"),
    [
        (ago(5), None, ago(5)),
        (ago(5), ago(6), ago(5)),
        (ago(5), ago(5), None),
        (ago(6), ago(5), None),
        (ago(-0.1), None, None),
        (ago(-0.1), ago(5), None),
        (ago(0), ago(5), ago(0)),
        (None, ago(5), None),
        (None, None, None),
    ],
    ids=["first", "newer", "same", "older", "future", "future after known", "now", "nothing", "never anything"],
)
def test_what_is_reported_never_goes_back_and_never_lies_in_the_future(synced_to, reported, told):
    assert data_time_to_report(synced_to, reported=reported, now=NOW) == told
