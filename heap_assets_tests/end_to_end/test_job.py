"""The Dagster job: whatever a run finds, it ends in the published file, and only what changed is materialized.

Here: runs in this process with their history. Not here: the same job from the UI (test_dagster_ui.py) and from the
command lines of Dagster (test_dagster_commands.py).
"""

from dataclasses import replace

import dagster as dg
import duckdb
import pytest

from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import DUCKDB_FILE, REPORT, table_key
from heap_assets.defs.runs import run_sync_job
from heap_assets.pipeline.progress import Silence
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump

USERS = data_file("user_id:long last_modified", (1, "2026-01-01"))
MORE_USERS = data_file("user_id:long last_modified", (2, "2026-01-02"), name="1.avro")
ORDERS = data_file("event_id:long user_id:long session_id:long time", (7, 1, 3, "2026-01-01"))


@pytest.fixture
def export(tmp_path, monkeypatch):
    """Lend the folder of an export with one dump, and an environment that points to it and to nothing else."""
    for name, folder in {"HEAP_EXPORT_URI": "export", "HEAP_HOME": "home", "DAGSTER_HOME": "dagster"}.items():
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name in ("HEAP_LAKE_URI", "HEAP_DUCKDB_PATH", "HEAP_CONFIG", "HEAP_FACTS_AS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    write_dump(tmp_path / "export", dump(1, {"users": USERS, "order_completed": ORDERS}))
    return tmp_path / "export"


def ran(*, rebuild: bool = False, reland: tuple[int, ...] = ()) -> bool:
    return run_sync_job(Silence(), rebuild=rebuild, reland=reland).succeeded


def published_users(export) -> list[int]:
    with duckdb.connect(export.parent / "home" / "heap.duckdb", read_only=True) as connection:
        rows = connection.execute("SELECT user_id FROM main_production_migrated.users ORDER BY ALL").fetchall()
    return [user_id for (user_id,) in rows]


def materializations() -> dict[str, int]:
    with dg.DagsterInstance.get() as instance:
        return {
            key.to_user_string(): len(instance.fetch_materializations(key, limit=100).records)
            for key in instance.all_asset_keys()
        }


def test_a_first_run_writes_the_report_after_publication_and_is_the_history_of_tables_that_nobody_knew(export):
    assert ran()
    layers = ("raw", "heap", "heap_migrated")
    assert {f"{layer}/order_completed" for layer in layers} <= set(materializations())
    known = heap_definitions().resolve_asset_graph().get_all_asset_keys()
    assert {table_key(layer, "order_completed") for layer in layers} <= known
    page = export.parent / "home" / "report.html"
    assert page.stat().st_mtime_ns >= (export.parent / "home" / "heap.duckdb").stat().st_mtime_ns
    with dg.DagsterInstance.get() as instance:
        metadata = instance.get_latest_materialization_event(REPORT).asset_materialization.metadata
    assert metadata["report"].value == page.as_uri()
    assert "order_completed" in page.read_text(encoding="utf-8")


def test_a_dump_of_one_table_is_published_and_what_it_did_not_change_is_not_materialized_anew(export):
    assert ran()
    first = materializations()
    write_dump(export, dump(2, {"users": MORE_USERS}))
    assert ran()
    assert published_users(export) == [1, 2]
    second = materializations()
    anew = {key for key, count in second.items() if count > first.get(key, 0)}
    assert {"raw/users", "heap/users", "heap_migrated/users", "published/duckdb_file"} <= anew
    assert {"raw/order_completed", "heap/order_completed", "heap_migrated/order_completed"} & anew == set()


def test_a_run_without_anything_new_publishes_the_file_that_is_gone(export):
    assert ran()
    (export.parent / "home" / "heap.duckdb").unlink()
    assert ran()
    assert published_users(export) == [1]


def test_a_run_that_rebuilds_and_one_that_lands_a_dump_again_end_in_the_same_file(export):
    assert ran()
    assert ran(rebuild=True)
    assert published_users(export) == [1]
    assert ran(reland=(1,))
    assert published_users(export) == [1]


def test_a_broken_dump_fails_the_run_and_what_came_before_it_stays_published(export):
    assert ran()
    write_dump(export, dump(2, {"users": replace(MORE_USERS, state="missing")}))
    assert not ran()
    assert published_users(export) == [1]
    assert materializations()["published/report"] == 2, "it says how old the data is, all the more now"
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(limit=1)
        assert run.status is dg.DagsterRunStatus.FAILURE
        check = dg.AssetCheckKey(DUCKDB_FILE, "every_dump_landed")
        (record,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
        assert not record.evaluation.passed
        assert "Dump 2" in record.evaluation.description


def test_a_broken_dump_does_not_hold_back_the_dumps_before_it(export):
    write_dump(export, dump(2, {"users": MORE_USERS}))
    write_dump(export, dump(3, {"users": replace(MORE_USERS, state="garbage")}))
    assert not ran()
    assert published_users(export) == [1, 2]


def test_delivered_tables_that_are_called_like_ours_are_assets_beside_ours(export):
    names = ("all_events", "identity_map", "_quarantine")
    write_dump(export, dump(2, dict.fromkeys(names, ORDERS)))
    assert ran()
    write_dump(export, dump(3, dict.fromkeys(names, ORDERS)))
    assert ran()
    known = heap_definitions().resolve_asset_graph().get_all_asset_keys()
    for name in names:
        assert table_key("heap_migrated", name) in known
        assert table_key("heap_migrated", name).path[-1] != name


def test_a_run_that_was_asked_for_before_a_table_came_takes_it_along(export):
    known = heap_definitions().resolve_asset_graph().executable_asset_keys
    assert ran()
    job = heap_definitions().resolve_job_def("heap_sync")
    write_dump(export, dump(2, {"users": MORE_USERS, "sign_up": ORDERS}))
    with dg.DagsterInstance.get() as instance:
        assert job.execute_in_process(instance=instance, asset_selection=list(known)).success
    assert published_users(export) == [1, 2]
    assert materializations()["heap_migrated/sign_up"] == 1
