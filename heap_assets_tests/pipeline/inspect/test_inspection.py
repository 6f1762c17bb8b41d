"""What goes into the rules: real lakes, dump by dump; the key check holds back publication until it is mended."""

import pytest

from heap_assets.errors import KeyCheckError
from heap_assets.pipeline.inspect.inspection import inspection, remember
from heap_assets.pipeline.inspect.key_check import key_outcomes
from heap_assets.quality.outcome import Verdict
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.pipeline.test_maintenance import orders, published
from heap_assets_tests.published import edit_state, sync_of

FEBRUARY = 1_770_000_000_000_000  # of 2026, in microseconds
USERS = data_file("user_id:long last_modified identity", (1, "2026-01-01", "undefined"), (2, "2026-01-01", "a@x"))


@pytest.fixture
def place(tmp_path):
    (tmp_path / "export").mkdir()
    return tmp_path


def found(sync, *, and_remembers: bool = True) -> dict[str, dict[str, object]]:
    """Land, resolve and inspect; return outcomes by table and check."""
    sync.land()
    sync.resolve()
    done = inspection(sync.storage, sync.ledger(), sync.resolution())
    if and_remembers:
        remember(sync.storage, done)
    outcomes = {table: {check.name: told for check, told in of.items()} for table, of in done.tables.items()}
    return outcomes | {"identity": {check.name: outcome for check, outcome in done.identity.items()}}


def test_only_what_changed_is_inspected_and_what_was_not_told_is_inspected_again(place):
    sync = sync_of(place / "export", place / "home")
    write_dump(place / "export", dump(1, {"orders": orders(1), "users": USERS}))
    assert set(found(sync, and_remembers=False)) == {"orders", "users", "identity"}
    assert set(found(sync)) == {"orders", "users", "identity"}
    assert found(sync) == {"identity": {}}
    write_dump(place / "export", dump(2, {"orders": orders(2)}))
    assert found(sync)["identity"] == {}
    assert set(found(sync)) == {"identity"}


def test_the_newest_delivery_is_held_against_those_before(place):
    sync = sync_of(place / "export", place / "home")
    write_dump(place / "export", dump(1, {"orders": orders(1, 2, 3, 4)}, modified=FEBRUARY))
    first = found(sync)["orders"]
    assert all(outcome.passed for name, outcome in first.items() if name != "known_sessions")
    late = data_file("event_id:long user_id:long session_id:long time", (5, 1, 1, "2001-01-01"))
    write_dump(place / "export", dump(2, {"orders": late, "sessions": orders(1)}, modified=FEBRUARY))
    second = found(sync)["orders"]
    assert second["times_in_range"].verdict is Verdict.FAILED
    assert second["times_in_range"].keys == ("event_id=5, user_id=1, time=2001-01-01 00:00:00",)
    assert second["known_sessions"].passed
    assert second["rows_landed"].numbers == {"rows_delivered": 1, "rows_stored": 1}
    other = data_file("event_id:long user_id:long time amount:long", (6, 1, "2026-01-01", 3))
    write_dump(place / "export", dump(3, {"orders": full("orders", other)}))
    third = found(sync)["orders"]
    assert "gone: session_id; new: amount" in third["schema_change"].message
    assert third["resync"].verdict is Verdict.WARNING
    assert third["resync"].numbers == {"rows": 1, "rows_before": 5, "changed": pytest.approx(-0.8)}


def test_a_resync_of_users_who_came_again_and_again_is_no_loss(place):
    sync = sync_of(place / "export", place / "home")
    for number in (1, 2, 3):
        write_dump(place / "export", dump(number, {"users": USERS}))
    found(sync)
    write_dump(place / "export", dump(4, {"users": full("users", USERS)}))
    resync = found(sync)["users"]["resync"]
    assert resync.passed
    assert resync.numbers == {"rows": 2, "rows_before": 2, "changed": 0.0}


def test_heaps_own_count_is_held_against_ours(place):
    sync = sync_of(place / "export", place / "home")
    info = data_file("event_table_name inserted_row_count:long", ("orders", 3))
    write_dump(place / "export", dump(1, {"orders": orders(1, 2), "_sync_info": info}))
    outcome = found(sync)["orders"]["rows_landed"]
    assert outcome.verdict is Verdict.WARNING
    assert outcome.numbers["rows_says_heap"] == 3


def test_identity_is_looked_at_when_users_or_migrations_come(place):
    sync = sync_of(place / "export", place / "home")
    merged = data_file("from_user_id:long to_user_id:long time", (7, 1, "2026-01-01"), (8, 9, None), (9, 8, None))
    write_dump(place / "export", dump(1, {"users": USERS, "user_migrations": merged, "orders": orders(1)}))
    outcomes = found(sync)["identity"]
    assert outcomes["cycles"].numbers["cycles"] == 1
    assert outcomes["fan_in"].keys == ("user_id=1, merged_users=1, identity=undefined",)
    assert outcomes["conflicting_migrations"].passed


def without_ids(rows: int):
    return data_file(
        "event_id:long user_id:long session_id:long time", *((n, None, 1, "2026-01-01") for n in range(rows))
    )


def test_a_dump_of_which_most_rows_lack_their_ids_is_not_published_and_a_redelivery_mends_it(place):
    sync = sync_of(place / "export", place / "home")
    write_dump(place / "export", dump(1, {"orders": orders(1)}))
    run(sync)
    write_dump(place / "export", dump(2, {"orders": without_ids(120)}))
    for _ in range(2):
        with pytest.raises(KeyCheckError, match=r"Table orders: Dump 2: 120 of 120 rows .* event_id=0, user_id=null"):
            run(sync)
        assert published(sync) == [1]
    write_dump(place / "export", dump(2, {"orders": orders(2)}, attempt=2))
    run(sync)
    assert published(sync) == [1, 2]


def test_a_few_rows_without_ids_are_quarantined_and_published(place):
    sync = sync_of(place / "export", place / "home")
    write_dump(place / "export", dump(1, {"orders": without_ids(99), "users": USERS}))
    run(sync)
    assert published(sync) == []


def run(sync) -> None:
    sync.land()
    sync.resolve()
    sync.publish()


def test_a_key_that_two_rows_share_is_not_published_until_the_state_is_computed_anew(place):
    sync = sync_of(place / "export", place / "home")
    write_dump(place / "export", dump(1, {"orders": orders(1, 2)}))
    write_dump(place / "export", dump(2, {"orders": orders(2, 3)}))
    sync.land()
    sync.resolve()
    damage(sync)
    with pytest.raises(KeyCheckError, match=r"1 keys \(event_id, user_id\) .* event_id=2, user_id=1"):
        run(sync)
    sync.resolve(rebuild=True)
    sync.publish()
    assert published(sync) == [1, 2, 3]


def damage(sync) -> None:
    """Make the lake forget which rows are superseded."""

    def without_duplicates(resolved: dict) -> dict:
        resolved["tables"]["orders"]["duplicates"] = None
        return resolved

    edit_state(sync.settings.home, "resolved", without_duplicates)


def test_each_delivery_is_looked_at_once(place):
    sync = sync_of(place / "export", place / "home")
    write_dump(place / "export", dump(1, {"orders": orders(1, 2), "users": USERS}))
    sync.land()
    assert set(key_outcomes(sync.storage, sync.resolve())) == {"orders", "users"}
    assert key_outcomes(sync.storage, sync.resolve()) == {}
    write_dump(place / "export", dump(2, {"orders": orders(2, 3)}))
    sync.land()
    again = key_outcomes(sync.storage, sync.resolve())
    assert again["orders"].numbers == {"rows_checked": 2, "rows_without_key": 0, "repeated_keys": 0}
    assert set(key_outcomes(sync.storage, sync.resolve(), again=True)) == {"orders", "users"}
