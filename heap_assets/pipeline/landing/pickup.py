"""Which run the manifest sensor asks for: one for everything that waits, once for each content of it.

Pure: the listing, earlier runs and the clock are arguments. A run takes all that has arrived, in order, so one run at a
time is enough. A dump that failed is not tried again until something changes, or the nightly run comes; a run that
failed for another reason is, a few times. Here: the decision and its words. Not here: the tick
(defs/automation/pickup.py).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from heap_assets.pipeline.landing.landing import DumpFailure
from heap_assets.pipeline.landing.pending import Arrivals
from heap_assets.pipeline.ledger import Ledger

MOST_ATTEMPTS = 3
_FIRST_PAUSE = timedelta(minutes=5)
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A run that was asked for the same waiting dumps; ``ended`` (aware) is None if nobody knows.

    ``died`` says that its process did, so that what waits has not been tried.
    """

    run_id: str
    ended: datetime | None
    died: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickup:
    """What a tick does: ask for a run under this key, or nothing; ``waiting_key`` names what waits."""

    message: str
    run_key: str | None = None
    waiting_key: str = ""


def waiting_dumps(arrived: Arrivals, ledger: Ledger) -> Mapping[str, str]:
    """Return the dumps that a run would try, with their manifest's signature (the ETag in S3)."""
    tried = [*arrived.new_dumps(ledger), *arrived.broken()]
    return {
        arrived.counting[dump_id].key if dump_id is None else str(dump_id): arrived.counting[dump_id].signature
        for dump_id in tried
    }


def waiting_key(waiting: Mapping[str, str]) -> str:
    """Return the same key for the same manifests in the same content, another for anything else.

    >>> waiting_key({"7": "etag", "12": "other"})
    '12-d4ed3a2952e7'
    """
    digest = hashlib.sha256(repr(sorted(waiting.items())).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{max(waiting, key=_number)}-{digest}"


def pickup(
    waiting: Mapping[str, str],
    *,
    running: str | None,
    attempts: Sequence[Attempt],
    failures: Sequence[DumpFailure],
    now: datetime,
) -> Pickup:
    """Return what to do.

    Args:
        waiting: Dumps that a run would try, with their manifest's signature.
        running: A sync that is queued or at work.
        attempts: Ended runs for just this, newest first; that it still waits means that they failed.
        failures: What the last landing could not take.
        now: The time (aware).
    """
    if running is not None:
        return Pickup(message=f"Run {running} is queued or at work; one sync at a time.")
    if not waiting:
        return Pickup(message="Every dump whose manifest has arrived has landed.")
    key = waiting_key(waiting)
    named = ", ".join(sorted(waiting, key=_number)[:10])
    if not attempts:
        return Pickup(message=f"Waiting: {named}.", run_key=key, waiting_key=key)
    failed = [failure for failure in failures if failure.dump_id is None or str(failure.dump_id) in waiting]
    message = _held_back(failed, len(waiting) - len(failed), attempts[0]) if failed else None
    return _another(key, named, attempts, now) if message is None else Pickup(message=message, waiting_key=key)


def _held_back(failed: Sequence[DumpFailure], others: int, last: Attempt) -> str:
    reasons = " ".join(failure.reason for failure in failed)[:_SHOWN]
    return (
        f"{reasons} Run {last.run_id} failed on it; {others} other dumps wait. A redelivered manifest is tried at once,"
        " a repaired file by the nightly run."
    )


def _another(key: str, named: str, attempts: Sequence[Attempt], now: datetime) -> Pickup:
    """Return another attempt after runs that failed for reasons of their own, each later than the one before."""
    last = attempts[0]
    if len(attempts) >= MOST_ATTEMPTS:
        return Pickup(
            message=f"{named} still waits after {len(attempts)} runs, the last one is {last.run_id}; the nightly run"
            " tries again.",
            waiting_key=key,
        )
    due = (last.ended or now) + _FIRST_PAUSE * 2 ** (len(attempts) - 1)
    if now < due and not last.died:
        return Pickup(message=f"Run {last.run_id} failed; the next is due at {due:%H:%M} UTC.", waiting_key=key)
    return Pickup(
        message=f"Waiting: {named}, attempt {len(attempts) + 1}.",
        run_key=f"{key}-{len(attempts) + 1}",
        waiting_key=key,
    )


def _number(dump: str) -> tuple[bool, int, str]:
    return (True, int(dump), "") if dump.isascii() and dump.isdigit() else (False, 0, dump)
