"""The manifest sensor and the nightly schedule, tick by tick; the daemon opened anew each time.

Here: ticks on SQLite and Postgres. Not here: decisions (pipeline/landing/test_pickup.py), a real daemon (end_to_end/).
"""

import shutil
from dataclasses import replace

import dagster as dg
import pytest

from heap_assets.defs.automation.pickup import EXPORT_LISTED, SYNC_JOB
from heap_assets.defs.checks.checks import INSPECTED
from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import table_key
from heap_assets.errors import HeapAssetsError
from heap_assets_tests.defs.operated import events

SENSOR = "heap_manifests"
LAYERS = ("raw", "heap", "heap_migrated")
ROWS = events((1, 1, 1, "2026-01-01"))
BROKEN = replace(ROWS, state="missing")


def asked(place, daemon) -> dg.RunRequest | None:
    requests = place.tick(SENSOR, daemon).run_requests
    assert len(requests) <= 1
    return requests[0] if requests else None


def skipped(place, daemon) -> str:
    told = place.tick(SENSOR, daemon)
    assert not told.run_requests
    return told.skip_message


def launched(place, daemon, request: dg.RunRequest) -> bool:
    """Do what the daemon does with a request, and return whether the run succeeded."""
    tags = {"dagster/run_key": request.run_key, **request.tags}
    return place.sync(daemon, tags=tags, request=request)


def test_a_dump_is_asked_for_once_and_then_the_bucket_is_quiet(place, storage):
    place.deliver(9, {"orders": ROWS})
    with storage.open() as daemon:
        request = asked(place, daemon)
    with storage.open() as daemon:
        assert asked(place, daemon).run_key == request.run_key
        assert launched(place, daemon, request)
    with storage.open() as daemon:
        assert skipped(place, daemon) == "Every dump whose manifest has arrived has landed."


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_redelivered_dump_is_asked_for_under_another_key(place, storage):
    place.deliver(9, {"orders": ROWS})
    with storage.open() as daemon:
        request = asked(place, daemon)
        assert launched(place, daemon, request)
    place.deliver(9, {"orders": events((2, 1, 1, "2026-01-01"))}, attempt=2)
    with storage.open() as daemon:
        again = asked(place, daemon)
        assert again.run_key != request.run_key


def test_a_failed_dump_holds_back_later_ones_and_says_so_until_it_comes_again(place, storage):
    place.deliver(9, {"orders": BROKEN})
    with storage.open() as daemon:
        request = asked(place, daemon)
        assert not launched(place, daemon, request)
    with storage.open() as daemon:
        assert "Dump 9, table orders" in skipped(place, daemon)
    place.deliver(10, {"orders": events((3, 1, 1, "2026-01-01"))})
    with storage.open() as daemon:
        later = asked(place, daemon)
        assert later.run_key not in {None, request.run_key}
        assert not launched(place, daemon, later)
    with storage.open() as daemon:
        assert "1 other dumps wait" in skipped(place, daemon)
    place.deliver(9, {"orders": ROWS}, attempt=2)
    with storage.open() as daemon:
        mended = asked(place, daemon)
        assert launched(place, daemon, mended)
        assert skipped(place, daemon) == "Every dump whose manifest has arrived has landed."


def nightly(daemon) -> list[dg.RunRequest]:
    repository = heap_definitions().get_repository_def()
    with dg.build_schedule_context(instance=daemon, repository_def=repository) as context:
        return list(repository.get_schedule_def("heap_sync_nightly").evaluate_tick(context).run_requests or ())


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_run_names_no_event_table_and_lands_and_tells_them_all_the_same(place, storage):
    place.deliver(1, {"orders": ROWS})
    with storage.open() as daemon:
        assert launched(place, daemon, asked(place, daemon))
    place.deliver(2, {"orders": events((2, 1, 1, "2026-01-01"))})
    with storage.open() as daemon:
        request = asked(place, daemon)
        named = {key.to_user_string() for key in request.asset_selection}
        assert {"raw/users", "heap/users", "heap_migrated/identity_map", "published/duckdb_file"} <= named
        assert not {name for name in named if name.endswith("/orders")}
        assert {key.name for key in request.asset_check_keys} == {"every_dump_landed", INSPECTED.name}
        before = [len(daemon.fetch_materializations(table_key(layer, "orders"), limit=9).records) for layer in LAYERS]
        assert launched(place, daemon, request)
        after = [len(daemon.fetch_materializations(table_key(layer, "orders"), limit=9).records) for layer in LAYERS]
        assert [now - then for then, now in zip(before, after, strict=True)] == [1, 1, 1]
        checks = daemon.event_log_storage.get_asset_check_execution_history(INSPECTED, limit=9)
        assert len(checks) == 2


def test_one_sync_at_a_time(place, storage):
    place.deliver(9, {"orders": ROWS})
    with storage.open() as daemon:
        run = daemon.create_run_for_job(
            heap_definitions().resolve_job_def(SYNC_JOB), status=dg.DagsterRunStatus.STARTED
        )
    with storage.open() as daemon:
        assert skipped(place, daemon) == f"Run {run.run_id} is queued or at work; one sync at a time."
        assert nightly(daemon) == []
        daemon.report_run_failed(run, "stopped by the test")
    with storage.open() as daemon:
        assert asked(place, daemon) is not None
        (request,) = nightly(daemon)
        assert request.run_key is None


def test_a_listing_that_fails_is_a_failed_tick_and_a_red_check_and_never_an_empty_bucket(place, storage):
    place.deliver(9, {"orders": ROWS})
    shutil.move(place.folder / "export", place.folder / "away")

    def evaluations(daemon) -> list[bool]:
        records = daemon.event_log_storage.get_asset_check_execution_history(EXPORT_LISTED, limit=9)
        return [record.evaluation.passed for record in records]

    for _ in range(2):
        with storage.open() as daemon:
            with pytest.raises(Exception, match="export") as raised:
                place.tick(SENSOR, daemon)
            causes = [raised.value, raised.value.__cause__]
            assert any(isinstance(cause, HeapAssetsError) for cause in causes)
            assert evaluations(daemon) == [False]
    shutil.move(place.folder / "away", place.folder / "export")
    with storage.open() as daemon:
        assert asked(place, daemon) is not None
        assert evaluations(daemon) == [True, False]


def test_everything_that_runs_by_itself_is_on_and_says_what_it_prevents():
    definitions = heap_definitions()
    automatic = [*definitions.sensors, *definitions.schedules]
    assert {one.name for one in automatic} >= {SENSOR, "heap_freshness", "heap_sync_nightly", "heap_maintenance_weekly"}
    for one in automatic:
        assert one.default_status.value == "RUNNING", one.name
        assert "Prevents:" in one.description, one.name
