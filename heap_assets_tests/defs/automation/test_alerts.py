"""The alert sensor, tick by tick, with a real receiver; the daemon opened anew each time.

Here: ticks on SQLite and Postgres. Not here: decisions and words (alerts/), the whole way in a daemon (end_to_end/).
"""

import dagster as dg
import pytest

from heap_assets.defs.automation.pickup import SYNC_JOB
from heap_assets.defs.definitions import heap_definitions
from heap_assets_tests.defs.operated import events, hours_ago
from heap_assets_tests.receiver import Receiver, receiver

SENSOR = "heap_alerts"


@pytest.fixture
def chat(monkeypatch):
    with receiver() as lent:
        monkeypatch.setenv("HEAP_ALERT_URLS", lent.url)
        monkeypatch.setenv("HEAP_UI_URL", "http://dagster.example.com/")
        yield lent


def tick(place, storage):
    with storage.open() as daemon:
        return place.tick(SENSOR, daemon)


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_stale_table_is_told_once_and_its_recovery_too(place, storage, chat):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(99)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
    tick(place, storage)
    before = len(chat.messages)
    with storage.open() as daemon:
        place.tick("heap_freshness", daemon)
    tick(place, storage)
    tick(place, storage)
    (message,) = chat.messages[before:]
    assert message["title"] == "heap_assets: FAILED heap_sync/orders synced_to_time_freshness"
    assert "The newest data is 99.0 h old" in message["message"]
    assert "http://dagster.example.com/assets/heap_sync/orders?view=checks" in message["message"]
    assert message["type"] == "failure"
    place.deliver(2, {"orders": events((2, 1, 1, hours_ago(1)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
        place.tick("heap_freshness", daemon)
    tick(place, storage)
    assert "FAILED -> OK heap_sync/orders synced_to_time_freshness" in chat.messages[-1]["message"]


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_held_back_dump_is_told_with_table_and_keys_and_its_mending_too(place, storage, chat):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(2)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
    tick(place, storage)
    place.deliver(2, {"orders": events(*((n, None, 1, hours_ago(1)) for n in range(120)))})
    with storage.open() as daemon:
        assert not place.sync(daemon)
    before = len(chat.messages)
    tick(place, storage)
    tick(place, storage)
    text = "\n".join(message["message"] for message in chat.messages[before:])
    assert "OK -> FAILED heap/orders key_unique: Dump 2: 120 of 120 rows" in text
    assert "event_id=0, user_id=null" in text
    assert "heap_sync: resolve: Table orders: Dump 2" in text
    assert "http://dagster.example.com/runs/" in text
    place.deliver(2, {"orders": events((2, 1, 1, hours_ago(1)))}, attempt=2)
    with storage.open() as daemon:
        assert place.sync(daemon)
    tick(place, storage)
    assert "FAILED -> OK heap/orders key_unique" in chat.messages[-1]["message"]


def failed_run(daemon, job: dg.JobDefinition | None = None, **tags: str) -> str:
    job = job or heap_definitions().resolve_job_def(SYNC_JOB)
    run = daemon.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    daemon.report_run_failed(run, "stopped by the test")
    return run.run_id


def test_a_run_that_failed_for_good_is_told_once_and_one_that_is_tried_again_is_not(place, storage, chat):
    with storage.open() as daemon:
        old = failed_run(daemon)
    tick(place, storage)
    with storage.open() as daemon:
        run = failed_run(daemon)
        failed_run(daemon, **{"dagster/will_retry": "true"})
    tick(place, storage)
    tick(place, storage)
    assert chat.titles() == ["heap_assets: run of heap_sync failed"]
    assert f"/runs/{run}" in chat.messages[0]["message"]
    assert old not in chat.messages[0]["message"]


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_run_without_a_job_of_ours_is_told_by_who_asked_for_it(place, storage, chat):
    tick(place, storage)
    job = heap_definitions().resolve_implicit_global_asset_job_def()
    for asked, name in ({"dagster/sensor_name": "heap_marts"}, "heap_marts"), ({}, "chosen assets"):
        with storage.open() as daemon:
            failed_run(daemon, job, **asked)
        tick(place, storage)
        assert chat.titles()[-1] == f"heap_assets: run of {name} failed"


def test_people_are_told_of_what_fails_because_a_setting_is_wrong(place, storage, chat, monkeypatch):
    tick(place, storage)
    monkeypatch.setenv("HEAP_CONFIG", str(place.folder / "nowhere.yaml"))
    with storage.open() as daemon:
        assert not place.sync(daemon)
        with pytest.raises(Exception, match="nowhere"):
            place.tick("heap_manifests", daemon)
    tick(place, storage)
    text = "\n".join(message["message"] for message in chat.messages)
    assert "heap_sync: land: HEAP_CONFIG is" in text
    assert "FAILED published/duckdb_file export_can_be_listed: HEAP_CONFIG is" in text


def test_what_a_destination_does_not_take_is_sent_when_it_does_and_nobody_sees_its_secret(
    place, storage, chat, monkeypatch, capfd
):
    with receiver() as other:
        monkeypatch.setenv("HEAP_ALERT_URLS", f"{chat.url} {other.url}")
        tick(place, storage)
        with storage.open() as daemon:
            failed_run(daemon)
        other.refuses = True
        assert "1 messages wait" in tick(place, storage).skip_message
        assert (len(chat.messages), len(other.messages)) == (1, 0)
        other.refuses = False
        monkeypatch.setattr("heap_assets.defs.automation.alerts.time.time", later)
        tick(place, storage)
        assert (len(chat.messages), len(other.messages)) == (1, 1)
    shown = "".join(capfd.readouterr()) + place.cursors[SENSOR]
    assert Receiver.SECRET not in shown


def later() -> float:
    from datetime import UTC, datetime

    return datetime.now(UTC).timestamp() + 3600


def test_without_destinations_nothing_is_sent_and_the_tick_says_so(place, storage):
    assert "HEAP_ALERT_URLS is not set" in tick(place, storage).skip_message


def test_a_pipeline_that_stands_still_is_told(place, storage, chat):
    from dagster._core.definitions.asset_key import AssetKey
    from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

    tick(place, storage)
    with storage.open() as daemon:
        key = AssetKey(["published", "duckdb_file"])
        daemon._report_runless_asset_event(
            FreshnessStateChange(
                key=key, new_state=FreshnessState.FAIL, previous_state=FreshnessState.PASS, state_change_timestamp=0.0
            )
        )
    tick(place, storage)
    assert chat.titles() == ["heap_assets: FAILED published/duckdb_file is materialized in time"]
