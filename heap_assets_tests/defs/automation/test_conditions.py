"""Declarative automation: models and the file follow tables that somebody materialized by hand, and nothing else.

Here: what Dagster's own evaluation asks for. Not here: heap_sync's sensor (test_pickup.py).
"""

import json

import dagster as dg
import pytest

from heap_assets.defs.automation.conditions import MARTS_SENSOR
from heap_assets.defs.definitions import heap_definitions
from heap_assets_tests.defs.operated import events
from heap_assets_tests.exports.shorthand import data_file

ORDERS = dg.AssetKey(["heap_migrated", "orders"])


def evaluated(daemon, before=None):
    """Do what the sensor does in a tick, with what it remembers of the tick before."""
    cursor = None if before is None else before.cursor
    watched = dg.AssetSelection.groups("analytics", "published")
    return dg.evaluate_automation_conditions(heap_definitions(), daemon, asset_selection=watched, cursor=cursor)


def asked_for(result, *paths: str) -> list[bool]:
    return [result.get_num_requested(dg.AssetKey(path.split("/"))) > 0 for path in paths]


WATCHED = ("analytics/heap_events", "analytics/paths", "published/duckdb_file", "published/report")


def test_what_a_sync_made_needs_no_second_run(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, "2026-01-01"))})
    with storage.open() as daemon:
        before = evaluated(daemon)
        assert place.sync(daemon)
        after = evaluated(daemon, before)
        assert (before.total_requested, after.total_requested) == (0, 0)
        place.deliver(2, {"orders": events((2, 1, 1, "2026-01-02"))})
        assert place.sync(daemon)
        assert evaluated(daemon, after).total_requested == 0


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
@pytest.mark.parametrize("group", [{}, {"group_by": "plan"}])
def test_a_dump_of_users_alone_needs_no_second_run_whether_funnels_are_grouped_or_not(
    place, storage, monkeypatch, group
):
    file = place.folder / "heap.yaml"
    file.write_text(json.dumps({"funnels": [{"name": "one", "steps": ["orders"], **group}]}))
    monkeypatch.setenv("HEAP_CONFIG", str(file))
    users = "user_id:long plan"
    place.deliver(1, {"users": data_file(users, (1, "a")), "orders": events((1, 1, 1, "2026-01-01"))})
    with storage.open() as daemon:
        assert place.sync(daemon)
        before = evaluated(daemon)
        place.deliver(2, {"users": data_file(users, (1, "b"), (2, "a"))})
        assert place.sync(daemon)
        assert evaluated(daemon, before).total_requested == 0


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_table_that_somebody_materialized_is_followed_once_and_not_while_a_blocking_check_fails(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, "2026-01-01"))})
    with storage.open() as daemon:
        assert place.sync(daemon)
        before = evaluated(daemon)
        daemon.report_runless_asset_event(dg.AssetMaterialization(ORDERS))
        told = evaluated(daemon, before)
        assert asked_for(told, *WATCHED) == [True, True, True, True]
        assert evaluated(daemon, told).total_requested == 0
        key = dg.AssetKey(["heap", "orders"])
        daemon.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=key, check_name="key_unique", passed=False, severity=dg.AssetCheckSeverity.ERROR, metadata={}
            )
        )
        daemon.report_runless_asset_event(dg.AssetMaterialization(key))
        assert asked_for(evaluated(daemon, told), "published/duckdb_file") == [False]


def test_its_sensor_is_on_and_its_runs_are_repeated_twice_and_count_as_a_sync():
    sensor = heap_definitions().get_repository_def().get_sensor_def(MARTS_SENSOR)
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.run_tags["dagster/max_retries"] == "2"
    assert sensor.run_tags["heap/sync"] == "1"
