"""Which run the manifest sensor asks for, as a table; and what waits, on real exports."""

from datetime import UTC, datetime, timedelta

import pytest

from heap_assets.pipeline.landing.landing import DumpFailure
from heap_assets.pipeline.landing.pending import arrivals
from heap_assets.pipeline.landing.pickup import MOST_ATTEMPTS, Attempt, pickup, waiting_dumps, waiting_key
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import sync_of

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEY = waiting_key({"9": "a", "10": "b"})


def ended(minutes: float, run: str = "r1") -> Attempt:
    return Attempt(run_id=run, ended=NOW - timedelta(minutes=minutes))


FAILED = (DumpFailure(dump_id=9, reason="Dump 9, table users: file x is cut short."),)
OTHERS = (DumpFailure(dump_id=3, reason="Dump 3 was broken once."),)
NAMELESS = (DumpFailure(dump_id=None, reason="manifests/odd.json: not JSON."),)


@pytest.mark.parametrize(
    ("running", "attempts", "failures", "run_key", "told"),
    [
        (None, [], (), KEY, "Waiting: 9, 10."),
        ("r7", [], (), None, "Run r7 is queued or at work"),
        ("r7", [ended(60)], FAILED, None, "Run r7 is queued or at work"),
        (None, [ended(1)], FAILED, None, "file x is cut short. Run r1 failed on it; 1 other dumps wait."),
        (None, [ended(9999)], FAILED, None, "Run r1 failed on it"),
        (None, [], FAILED, KEY, "Waiting: 9, 10."),
        (None, [ended(1)], NAMELESS, None, "not JSON. Run r1"),
        (None, [ended(4)], (), None, "Run r1 failed; the next is due at 12:01 UTC."),
        (None, [ended(5)], (), f"{KEY}-2", "attempt 2"),
        (None, [ended(5)], OTHERS, f"{KEY}-2", "attempt 2"),
        (None, [ended(9, "r2"), ended(30)], (), None, "Run r2 failed; the next is due at 12:01 UTC."),
        (None, [ended(10, "r2"), ended(30)], (), f"{KEY}-3", "attempt 3"),
        (None, [ended(9999, "r3"), ended(9999), ended(9999)], (), None, "still waits after 3 runs, the last one is r3"),
        (None, [Attempt(run_id="r1", ended=None)], (), None, "Run r1 failed"),
        (None, [Attempt(run_id="r1", ended=NOW, died=True)], (), f"{KEY}-2", "attempt 2"),
        (None, [Attempt(run_id="r3", ended=NOW, died=True), *[ended(9)] * 2], (), None, "still waits after 3 runs"),
    ],
)
def test_the_decision(running, attempts, failures, run_key, told):
    found = pickup({"9": "a", "10": "b"}, running=running, attempts=attempts, failures=failures, now=NOW)
    assert found.run_key == run_key
    assert told in found.message
    assert len(attempts) <= MOST_ATTEMPTS


def test_nothing_waits():
    found = pickup({}, running=None, attempts=[ended(1)], failures=FAILED, now=NOW)
    assert (found.run_key, found.message) == (None, "Every dump whose manifest has arrived has landed.")


def test_the_key_is_that_of_a_set_of_contents_and_names_the_last_dump():
    assert waiting_key({"10": "b", "9": "a"}) == KEY
    assert KEY.startswith("10-")
    others = [{"9": "a"}, {"9": "a", "10": "c"}, {"9": "a", "10": "b", "11": "d"}, {"9": "b", "10": "a"}]
    assert len({KEY, *map(waiting_key, others)}) == 5
    assert waiting_key({"manifests/odd.json": "x", "7": "y"}).startswith("7-")


USERS = data_file("user_id:long last_modified", (1, "2026-01-01"))


def waiting(sync) -> dict[str, str]:
    ledger = sync.ledger()
    return dict(waiting_dumps(arrivals(sync.source(), ledger), ledger))


def test_dumps_wait_until_they_land_and_again_when_they_are_redelivered(tmp_path):
    write_dump(tmp_path / "export", dump(9, {"users": USERS}))
    sync = sync_of(tmp_path / "export", tmp_path / "home")
    write_dump(tmp_path / "export", dump(10, {"users": USERS}, manifest="garbage"))
    first = waiting(sync)
    assert set(first) == {"9", "10"}
    sync.land()
    assert set(waiting(sync)) == {"10"}
    write_dump(tmp_path / "export", dump(9, {"users": USERS}, attempt=2))
    again = waiting(sync)
    assert set(again) == {"9", "10"}
    assert again["9"] != first["9"]
    assert again["10"] == first["10"]


def test_an_export_that_is_not_there_is_an_error_and_not_an_empty_one(tmp_path):
    from heap_assets.errors import SourceError
    from heap_assets.pipeline.ledger import Ledger
    from heap_assets.sources.source import LocalFolder

    with pytest.raises(SourceError):
        arrivals(LocalFolder(tmp_path / "gone"), Ledger())
