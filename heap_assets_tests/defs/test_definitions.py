"""Dagster: definitions load anywhere and touch nothing, assets are described and linked, a run says what it did.

Here: definitions, and the job in this process. Not here: what a sync does (pipeline/), the command line
(cli/test_commands.py).
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heap_assets.defs.assets.tables import EVERY_DUMP_LANDED
from heap_assets.defs.automation.pickup import SYNC_JOB
from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import (
    ANALYTICS_GROUP,
    DUCKDB_FILE,
    HEAP,
    MIGRATED,
    PUBLISHED,
    RAW,
    SYNCED,
    model_key,
    table_key,
)
from heap_assets.defs.resources import HeapDuckDB
from heap_assets.models.catalog import ANALYTICS
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump

Run = tuple[dg.ExecuteInProcessResult, dg.DagsterInstance]
ODD = "Sign-up/Größe [a]"
TIME = "2024-03-11T09:00:00Z"
LOADED_BY_A_STRANGER = """
import json, os, sys
seen = []
here = os.getcwd()
sys.addaudithook(lambda event, args: event in {"socket.connect", "open"} and seen.append([event, str(args[0])]))
from heap_assets.definitions import defs
specs = defs().resolve_all_asset_specs()
touched = [[event, what] for event, what in seen if event != "open" or what.startswith(here)]
print(json.dumps({"keys": [spec.key.to_user_string() for spec in specs], "touched": touched, "left": os.listdir(here)}))
"""


def events(*rows: tuple) -> object:
    return data_file("event_id:long user_id:long session_id:long time", *rows)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lend a folder with an export of two dumps, and an environment that names it."""
    folder = tmp_path_factory.mktemp("dagster")
    users = data_file("user_id:long email", (1, "a@x"), (2, "b@x"), (None, "c@x"))
    tables = {
        "users": users,
        "user_migrations": data_file("from_user_id:long to_user_id:long time", (1, 2, TIME)),
        "sessions": events((10, 1, 5, TIME)),
        "pageviews": events((11, 1, 5, TIME), (11, 2, 5, TIME)),
        ODD: events((12, 1, 5, TIME)),
    }
    write_dump(folder / "export", dump(1, tables))
    write_dump(folder / "export", dump(2, {"pageviews": events((13, 2, 5, TIME), (14, 2, 5, "2024-03-12"))}))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "HEAP_CONFIG", "HEAP_LAKE_URI", "HEAP_DUCKDB_PATH", "HEAP_FACTS_AS"):
            patch.delenv(name, raising=False)
        patch.setenv("HEAP_EXPORT_URI", str(folder / "export"))
        patch.setenv("HEAP_HOME", str(folder / "home"))
        yield folder


@contextmanager
def synced() -> Iterator[Run]:
    """Run the job with the definitions as they load now."""
    job = heap_definitions().resolve_job_def(SYNC_JOB)
    quietly = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        yield job.execute_in_process(instance=instance, raise_on_error=False, run_config=quietly), instance


@pytest.fixture(scope="module")
def first_run(places: Path) -> Iterator[Run]:
    assert places
    with synced() as run:
        yield run


@pytest.fixture(scope="module")
def specs(first_run: Run) -> dict[dg.AssetKey, dg.AssetSpec]:
    """Return the assets as they are once a run has seen the tables."""
    assert first_run
    return {spec.key: spec for spec in heap_definitions().resolve_all_asset_specs()}


def metadata(instance: dg.DagsterInstance, key: dg.AssetKey) -> dict[str, object]:
    event = instance.get_latest_materialization_event(key)
    assert event is not None, key
    assert event.asset_materialization
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_definitions_load_in_an_empty_environment_and_folder_and_touch_nothing(tmp_path):
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED_BY_A_STRANGER],
        cwd=tmp_path,
        env={"PYTHONWARNINGS": "error::DeprecationWarning:heap_assets"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr
    told = json.loads(loaded.stdout)
    assert told["touched"] == []
    assert told["left"] == []
    assert {"raw/users", "heap/sessions", "heap_migrated/all_events", "published/duckdb_file"} <= set(told["keys"])


def test_every_asset_has_a_description_a_group_and_kinds(specs):
    assert len(specs) > 20
    for spec in specs.values():
        assert spec.description, spec.key
        assert spec.group_name == spec.key.path[0], spec.key
        assert spec.kinds, spec.key
    groups = {SYNCED, RAW, HEAP, MIGRATED, ANALYTICS_GROUP, PUBLISHED}
    assert {spec.group_name for spec in specs.values()} == groups


def test_every_table_has_its_asset_in_each_layer(specs):
    for name in ("sessions", "pageviews", "users", ODD):
        assert {table_key(layer, name) for layer in (RAW, HEAP, MIGRATED)} <= set(specs)
    assert table_key(HEAP, "user_migrations") in specs
    assert table_key(MIGRATED, "user_migrations") not in specs


def test_lineage_goes_from_raw_to_heap_to_heap_migrated_to_the_file(specs):
    def upstream(key: dg.AssetKey) -> set[dg.AssetKey]:
        return {dep.asset_key for dep in specs[key].deps}

    identity = model_key(MIGRATED, "identity_map")
    for name in ("pageviews", ODD):
        assert upstream(table_key(SYNCED, name)) == set()
        assert upstream(table_key(RAW, name)) == {table_key(SYNCED, name)}
        assert upstream(table_key(HEAP, name)) == {table_key(RAW, name)}
        assert upstream(table_key(MIGRATED, name)) == {table_key(HEAP, name), identity}
        assert table_key(MIGRATED, name) in upstream(model_key(MIGRATED, "all_events"))
        assert {table_key(HEAP, name), table_key(MIGRATED, name)} <= upstream(DUCKDB_FILE)
    assert upstream(identity) == {table_key(HEAP, "user_migrations")}
    assert all(dep in specs for key in specs for dep in upstream(key))


def test_the_models_and_segments_stand_between_the_migrated_tables_and_the_file(specs):
    def upstream(name: str) -> set[dg.AssetKey]:
        return {dep.asset_key for dep in specs[model_key(ANALYTICS_GROUP, name)].deps}

    assert table_key(MIGRATED, ODD) in upstream("heap_events")
    assert table_key(MIGRATED, "sessions") not in upstream("heap_events")
    assert upstream("funnel_steps") == {model_key(ANALYTICS_GROUP, "funnel_users")}
    assert upstream("attribution") == {model_key(ANALYTICS_GROUP, name) for name in ("heap_events", "heap_sessions")}
    assert upstream("segment_gold") == {table_key(MIGRATED, "users")}
    assert upstream("funnel_users") == {table_key(MIGRATED, "users")}  # none of its events is in this export
    file = {dep.asset_key for dep in specs[DUCKDB_FILE].deps}
    assert {model_key(ANALYTICS_GROUP, model.name) for model in ANALYTICS} <= file
    assert model_key(ANALYTICS_GROUP, "segment_buyers") in file


def test_a_run_yields_the_row_counts_of_every_layer(first_run):
    result, instance = first_run
    assert result.success

    def rows(key: dg.AssetKey) -> object:
        return metadata(instance, key)["dagster/row_count"]

    assert (rows(table_key(RAW, "pageviews")), rows(table_key(HEAP, "pageviews"))) == (4, 4)
    assert rows(table_key(MIGRATED, "pageviews")) == 3
    assert (rows(table_key(RAW, "users")), rows(table_key(HEAP, "users")), rows(table_key(MIGRATED, "users"))) == (
        3,
        2,
        1,
    )
    assert rows(model_key(MIGRATED, "identity_map")) == 1
    assert rows(model_key(HEAP, "all_events")) == 6
    assert metadata(instance, table_key(HEAP, "users"))["quarantined_rows"] == 1
    assert metadata(instance, table_key(MIGRATED, "pageviews"))["duplicates_after_merging"] == 1


def test_a_run_tells_columns_times_and_the_table_in_the_file(first_run):
    described = metadata(first_run[1], table_key(HEAP, "pageviews"))
    assert described["dagster/table_name"] == "main_production.pageviews"
    columns = {column.name: column for column in described["dagster/column_schema"].columns}
    assert columns["time"].type == "TIMESTAMP"
    assert columns["event_id"].description
    assert described["last_dump"] == 2
    assert described["last_event"] > described["first_event"]


def test_a_run_tells_the_key_figures_of_the_models_with_a_picture_and_what_it_does_not_know(first_run):
    _, instance = first_run
    steps = metadata(instance, model_key(ANALYTICS_GROUP, "funnel_steps"))
    assert steps["dagster/table_name"] == "heap_analytics.funnel_steps"
    assert steps["conversion of purchase"] == 0
    assert "funnel purchase, step 1: there is no event product_view" in str(steps["warnings"])
    retention = metadata(instance, model_key(ANALYTICS_GROUP, "retention"))
    assert retention["weekly cohorts"] == 1
    users = metadata(instance, model_key(ANALYTICS_GROUP, "heap_users"))
    columns = {column.name: column.type for column in users["dagster/column_schema"].columns}
    assert (columns["email"], columns["initial_session_time"]) == ("VARCHAR", "TIMESTAMP")
    assert metadata(instance, model_key(ANALYTICS_GROUP, "heap_events"))["dagster/row_count"] == 4


def test_a_table_that_no_definition_knew_when_the_run_began_has_its_materialization_too(first_run):
    result, instance = first_run
    known = result.job_def.asset_layer.asset_graph.get_all_asset_keys()
    for layer, rows in ((RAW, 1), (HEAP, 1), (MIGRATED, 1)):
        assert table_key(layer, ODD) not in known
        assert metadata(instance, table_key(layer, ODD))["dagster/row_count"] == rows


def test_a_run_with_nothing_new_succeeds_and_puts_down_no_table(first_run):
    assert first_run
    with synced() as (result, instance):
        assert result.success
        assert instance.get_latest_materialization_event(table_key(RAW, "pageviews")) is None
        assert metadata(instance, DUCKDB_FILE)["table_count"]


def test_the_file_can_be_asked_through_the_resource_and_not_be_written(first_run):
    assert first_run
    with HeapDuckDB().get_connection() as connection:
        assert connection.execute("SELECT count(*) FROM main_production_migrated.pageviews").fetchone() == (3,)
        with pytest.raises(duckdb.InvalidInputException):
            connection.execute("CREATE TABLE x AS SELECT 1")


def test_a_broken_dump_fails_the_run_by_its_check_and_publishes_the_good_ones(places, monkeypatch, tmp_path):
    monkeypatch.setenv("HEAP_EXPORT_URI", str(tmp_path / "export"))
    monkeypatch.setenv("HEAP_HOME", str(tmp_path / "home"))
    assert places
    write_dump(tmp_path / "export", dump(1, {"signup": events((1, 1, None, TIME))}))
    broken = data_file("event_id:long user_id:long time", (2, 1, TIME), state="truncated")
    write_dump(tmp_path / "export", dump(2, {"signup": broken}))
    with synced() as (result, instance):
        assert not result.success
        (check,) = (one for one in result.get_asset_check_evaluations() if one.check_name == EVERY_DUMP_LANDED)
        assert (check.check_name, check.asset_key, check.passed) == (EVERY_DUMP_LANDED, DUCKDB_FILE, False)
        assert "Dump 2, table signup: file s3://heap-rs3-acme/sync_2/signup/0.avro is cut" in str(check.description)
        assert check.metadata["dumps_waiting"].value == 1
        assert metadata(instance, table_key(HEAP, "signup"))["dagster/row_count"] == 1
    with duckdb.connect(tmp_path / "home" / "heap.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT event_id FROM main_production.signup").fetchall() == [(1,)]


_names = st.text(min_size=1, max_size=5) | st.sampled_from(["a-b", "a_b", "a b", "A b", "all_events", "identity_map"])


@given(st.lists(_names, unique=True, max_size=8))
def test_tables_of_any_names_have_keys_of_their_own_apart_from_ours(names):
    keys = {table_key(RAW, name) for name in names}
    assert len(keys) == len(names)
    assert not keys & {model_key(RAW, "all_events"), model_key(RAW, "identity_map")}
    for key in keys:
        dg.AssetSpec(key, group_name=RAW)
