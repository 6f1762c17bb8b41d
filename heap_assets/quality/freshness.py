"""Freshness: how far a table's data lies behind, and which time may be told to Dagster as its last event.

Times are aware, UTC; the clock is an argument. Here: decisions. Not here: who asks and where it is shown (defs/).
"""

from datetime import datetime, timedelta

from heap_assets.quality.outcome import Outcome, Verdict


def data_time_to_report(synced_to: datetime | None, *, reported: datetime | None, now: datetime) -> datetime | None:
    """Return the time of a table's newest data if Dagster does not know it yet.

    Data never gets older, whatever a late or replayed dump says, and what lies in the future says nothing: a client's
    clock that runs ahead must not hide a stale table.
    """
    if synced_to is None or synced_to > now:
        return None
    return synced_to if reported is None or synced_to > reported else None


def freshness(synced_to: datetime | None, *, now: datetime, warn: timedelta, fail: timedelta) -> Outcome:
    """Return how fresh a table is; ``synced_to`` is the time of its newest data, None where no row tells."""
    limits = {"warn_hours": _hours(warn), "fail_hours": _hours(fail)}
    if synced_to is None:
        return Outcome(verdict=Verdict.WARNING, message="No row tells how old the data is.", numbers=limits)
    lag = max(now - synced_to, timedelta())
    verdict = Verdict.FAILED if lag >= fail else Verdict.WARNING if lag >= warn else Verdict.PASSED
    return Outcome(
        verdict=verdict,
        message=f"The newest data is {_hours(lag):,.1f} h old; a warning is due at {_hours(warn):g} h,"
        f" a failure at {_hours(fail):g} h.",
        numbers={"lag_hours": round(_hours(lag), 3), **limits},
    )


def _hours(duration: timedelta) -> float:
    return duration.total_seconds() / 3600
