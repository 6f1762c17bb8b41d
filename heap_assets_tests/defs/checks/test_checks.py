"""Checks in Dagster: told by the run for what changed, run by hand for anything, holding back what is damaged.

Here: runs on SQLite and Postgres. Not here: rules (quality/), what goes into them
(pipeline/inspect/test_inspection.py).
"""

import dagster as dg
import duckdb
import pytest

from heap_assets.defs.checks.checks import INSPECTED
from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import DUCKDB_FILE, table_key
from heap_assets.quality.catalogue import IDENTITY_CHECKS, checks_of
from heap_assets.schema.heap_tables import raw_table
from heap_assets_tests.defs.operated import events, hours_ago


def check(layer: str, table: str, name: str) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(table_key(layer, table), name)


KEY = check("heap", "orders", "key_unique")


def evaluations(instance, key) -> list[dg.AssetCheckEvaluation]:
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    return [record.evaluation for record in records]


def published(place) -> list[int]:
    with duckdb.connect(place.folder / "home" / "heap.duckdb", read_only=True) as connection:
        rows = connection.execute("SELECT event_id FROM main_production.orders ORDER BY ALL").fetchall()
    return [event_id for (event_id,) in rows]


def damaged(rows: int = 120):
    return events(*((n, None, 1, hours_ago(1)) for n in range(rows)))


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_dump_whose_key_check_fails_is_not_published_and_the_redelivered_one_mends_it(place, storage):
    place.deliver(1, {"orders": events((1, 1, 1, hours_ago(2)))})
    with storage.open() as instance:
        assert place.sync(instance)
        before = len(instance.fetch_materializations(DUCKDB_FILE, limit=10).records)
    place.deliver(2, {"orders": damaged()})
    for _ in range(2):
        with storage.open() as instance:
            assert not place.sync(instance)
            evaluation = evaluations(instance, KEY)[0]
            assert not evaluation.passed
            assert evaluation.severity is dg.AssetCheckSeverity.ERROR
            assert "Dump 2: 120 of 120 rows" in evaluation.description
            assert "`event_id=0, user_id=null`" in evaluation.metadata["failing_keys"].value
            assert len(instance.fetch_materializations(DUCKDB_FILE, limit=10).records) == before
            assert published(place) == [1]
    place.deliver(2, {"orders": events((2, 1, 1, hours_ago(1)))}, attempt=2)
    with storage.open() as instance:
        assert place.sync(instance)
        assert evaluations(instance, KEY)[0].passed
    assert published(place) == [1, 2]


def test_a_run_tells_the_checks_of_what_changed_and_of_nothing_else(place):
    place.deliver(1, {"orders": events((1, 1, 9, hours_ago(2))), "users": events()})
    with dg.DagsterInstance.ephemeral() as instance:
        assert place.sync(instance)
        (unknown,) = evaluations(instance, check("heap", "orders", "known_sessions"))
        assert (unknown.passed, unknown.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert unknown.metadata["unknown"].value == 1
        (inspected,) = evaluations(instance, INSPECTED)
        assert inspected.passed
        assert inspected.metadata["found_something"].value >= 1
    place.deliver(2, {"refunds": events((1, 1, 9, hours_ago(2)))})
    with dg.DagsterInstance.ephemeral() as instance:
        assert place.sync(instance)
        assert evaluations(instance, check("heap", "orders", "known_sessions")) == []
        assert len(evaluations(instance, check("heap", "refunds", "known_sessions"))) == 1


def test_every_check_can_be_run_by_hand_and_has_words_for_the_person_who_sees_it_fail(place):
    place.deliver(1, {"orders": events((1, 1, 9, hours_ago(2)))})
    with dg.DagsterInstance.ephemeral() as instance:
        assert place.sync(instance)
        definitions = heap_definitions()
        specs = {spec.key: spec for checks in definitions.asset_checks for spec in checks.check_specs}
        expected = {check(one.layer, "orders", one.name) for one in checks_of(raw_table("orders"))}
        assert expected <= set(specs)
        assert {one.name for one in IDENTITY_CHECKS} <= {key.name for key in specs}
        assert [key.name for key, spec in specs.items() if len(spec.description or "") < 40] == []
        assert {key.name for key, spec in specs.items() if spec.blocking} == {"key_unique"}
        (by_hand,) = (one for one in definitions.asset_checks if one.node_def.name == "inspect_tables")
        job = dg.define_asset_job("by_hand", selection=dg.AssetSelection.checks(by_hand))
        result = dg.Definitions.merge(definitions, dg.Definitions(jobs=[job])).resolve_job_def("by_hand")
        told = result.execute_in_process(instance=instance).get_asset_check_evaluations()
        assert expected <= {one.asset_check_key for one in told}
        assert {one.asset_check_key for one in told} == set(by_hand.check_keys)


def test_an_inspection_that_crashes_fails_the_run_and_the_file_is_published(place, monkeypatch):
    place.deliver(1, {"orders": events((1, 1, 9, hours_ago(2)))})

    def crash(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a rule broke")

    monkeypatch.setattr("heap_assets.pipeline.inspect.inspection.times_outcome", crash)
    with dg.DagsterInstance.ephemeral() as instance:
        assert not place.sync(instance)
        assert evaluations(instance, check("heap", "orders", "known_sessions")) == []
        assert published(place) == [1]
