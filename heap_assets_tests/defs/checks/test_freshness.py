"""Freshness in Dagster: events at data time, the check without a run, the hourly job; the daemon opened anew each time.

Here: ticks on SQLite and Postgres. Not here: verdicts (quality/test_freshness.py), windows passing (end_to_end/).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from heap_assets.defs.checks.freshness import CHECK, FRESHNESS_JOB
from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import DUCKDB_FILE, SYNCED, model_key, table_key
from heap_assets_tests.defs.operated import events, hours_ago

KEY = table_key(SYNCED, "orders")


def last_event(instance) -> datetime | None:
    event = instance.get_latest_materialization_event(KEY)
    return None if event is None else datetime.fromtimestamp(event.timestamp, UTC)


def age(instance) -> float:
    return (datetime.now(UTC) - last_event(instance)) / timedelta(hours=1)


def verdict(instance) -> tuple[bool, str]:
    (record,) = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(KEY, CHECK), limit=1)
    return record.evaluation.passed, record.evaluation.severity.value


def test_the_last_event_of_a_table_is_its_newest_data_and_the_check_turns_without_a_run(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(30)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
        assert age(daemon) == pytest.approx(30, abs=0.1)
    with storage.open() as daemon:
        place.tick("heap_freshness", daemon)
        assert verdict(daemon) == (False, "WARN")
        runs = daemon.get_runs_count()
    with storage.open() as daemon:
        assert place.tick("heap_freshness", daemon).asset_events == []
    place.deliver(2, {"orders": events((2, 1, 1, hours_ago(1)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
    with storage.open() as daemon:
        place.tick("heap_freshness", daemon)
        assert verdict(daemon) == (True, "WARN")
        assert age(daemon) == pytest.approx(1, abs=0.1)
        assert daemon.get_runs_count() == runs + 1


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_sync_that_dagster_knows_nothing_of_is_told_by_the_sensor(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(5)))})
    with dg.DagsterInstance.ephemeral() as elsewhere:
        assert place.sync(elsewhere)
    with storage.open() as daemon:
        assert last_event(daemon) is None
        place.tick("heap_freshness", daemon)
        assert age(daemon) == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_data_never_gets_older_and_the_future_counts_for_nothing(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(3)), (2, 1, 1, hours_ago(-48)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
        assert age(daemon) == pytest.approx(3, abs=0.1)
    place.deliver(2, {"orders": events((3, 1, 1, hours_ago(9)))}, manifest_name="later.json")
    with storage.open() as daemon:
        assert place.sync(daemon)
        place.tick("heap_freshness", daemon)
        assert age(daemon) == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_the_hourly_job_plots_the_lag_of_every_delivered_table_and_lands_nothing(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(60)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
    place.deliver(2, {"orders": events((2, 1, 1, hours_ago(1)))})
    with storage.open() as daemon:
        result = heap_definitions().resolve_job_def(FRESHNESS_JOB).execute_in_process(instance=daemon)
        found = {check.asset_key: check for check in result.get_asset_check_evaluations()}
        assert not found[KEY].passed
        assert found[KEY].severity is dg.AssetCheckSeverity.ERROR
        assert found[KEY].metadata["lag_hours"].value == pytest.approx(60, abs=0.1)
        assert found[table_key(SYNCED, "users")].passed
        assert age(daemon) == pytest.approx(60, abs=0.1)
    schedule = heap_definitions().resolve_schedule_def("heap_freshness_hourly")
    assert (schedule.cron_schedule, schedule.default_status) == ("7 * * * *", dg.DefaultScheduleStatus.RUNNING)


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_another_name_of_the_schema_keeps_no_tick_from_looking_before_it_is_published(place, storage, monkeypatch):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(60)))})
    with storage.open() as daemon:
        assert place.sync(daemon)
    (place.folder / "heap.yaml").write_text("project: renamed")
    monkeypatch.setenv("HEAP_CONFIG", str(place.folder / "heap.yaml"))
    with storage.open() as daemon:
        place.tick("heap_freshness", daemon)
        assert verdict(daemon) == (False, "ERROR")


def test_windows_come_from_the_configuration_and_what_every_run_makes_has_a_policy_of_its_own(place, monkeypatch):
    (place.folder / "heap.yaml").write_text("freshness: {tables: {sessions: {warn: 2h, fail: 3h}}}")
    monkeypatch.setenv("HEAP_CONFIG", str(place.folder / "heap.yaml"))
    specs = {spec.key: spec for spec in heap_definitions().resolve_all_asset_specs()}

    def windows(key: dg.AssetKey) -> tuple[float, float]:
        policy = specs[key].freshness_policy
        return policy.warn_window.to_timedelta() / timedelta(hours=1), policy.fail_window.to_timedelta() / timedelta(
            hours=1
        )

    assert windows(table_key(SYNCED, "sessions")) == (2, 3)
    assert windows(table_key(SYNCED, "users")) == (26, 50)
    assert windows(DUCKDB_FILE) == windows(model_key("heap", "_sync_info")) == (26, 50)
    assert specs[table_key("raw", "users")].freshness_policy is None
