"""Definitions that cannot read a setting, the configuration or the lake are those that were last known, and say so.

Here: loading and the check. Not here: definitions that can read everything (test_definitions.py).
"""

import os
import shutil
from datetime import timedelta

import dagster as dg
import pytest

from heap_assets.defs.checks.completeness import COMPLETE
from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import SYNCED, table_key
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets_tests.defs.operated import events
from heap_assets_tests.published import run

CONFIG = "freshness: {default: {warn: 90h, fail: 100h}, tables: {signup: {warn: 5h, fail: 7h}}}\n"


@pytest.fixture
def known(place, monkeypatch):
    """Lend a place whose run has left word of two tables, and a daemon."""
    (place.folder / "heap.yaml").write_text(CONFIG)
    monkeypatch.setenv("HEAP_CONFIG", str(place.folder / "heap.yaml"))
    (place.folder / "crm.csv").write_text("email,plan\na@x,1\n")
    monkeypatch.setenv("HEAP_OTHER_TABLE", str(place.folder / "crm.csv"))
    place.deliver(1, {"signup": events((1, 1, 1, "2026-01-01")), "order": events((2, 1, 1, "2026-01-01"))})
    run(Sync(read_settings(os.environ), Silence()))
    with dg.instance_for_test() as daemon:
        yield place, daemon


def loaded():
    """Return every asset with its freshness policy, as definitions load now."""
    return {
        spec.key.to_user_string(): spec.freshness_policy and spec.freshness_policy.fail_window.to_timedelta()
        for spec in heap_definitions().resolve_all_asset_specs()
    }


def spoiled_setting(place, monkeypatch):
    monkeypatch.setenv("HEAP_MEMORY_GIB", "much")
    return "HEAP_MEMORY_GIB is much"


def spoiled_configuration(place, monkeypatch):
    (place.folder / "heap.yaml").write_text("freshness: 7\n")
    return "heap.yaml"


def spoiled_address(place, monkeypatch):
    monkeypatch.setenv("HEAP_EXPORT_URI", "http://elsewhere")
    return "HEAP_EXPORT_URI is http://elsewhere"


def torn_list(place, monkeypatch):
    path = place.folder / "home" / "lake" / "state.json"
    path.write_bytes(path.read_bytes()[:-9])
    return "state.json is damaged; run heap_sync"


def unreadable_list(place, monkeypatch):
    path = place.folder / "home" / "lake" / "state.json"
    path.unlink()
    path.mkdir()
    return "state.json cannot be read"


def lost_lake(place, monkeypatch):
    shutil.rmtree(place.folder / "home" / "lake")
    return "the list of its tables is gone"


@pytest.mark.parametrize(
    "spoiled",
    [spoiled_setting, spoiled_configuration, spoiled_address, torn_list, unreadable_list, lost_lake],
)
def test_what_cannot_be_read_is_as_it_was_last_known_and_a_check_fails_until_it_can(known, monkeypatch, spoiled):
    place, daemon = known
    before = loaded()
    assert before[table_key(SYNCED, "signup").to_user_string()] == timedelta(hours=7)
    assert before[table_key(SYNCED, "order").to_user_string()] == timedelta(hours=100)

    def told():
        records = daemon.event_log_storage.get_asset_check_execution_history(COMPLETE, limit=9)
        return [(record.evaluation.passed, record.evaluation.description) for record in records]

    def tick():
        try:
            place.tick("heap_manifests", daemon)
        except Exception as error:  # noqa: BLE001  a tick on settings that are wrong fails besides
            return error
        return None

    tick()
    assert told() == []
    with monkeypatch.context() as patch:
        named = spoiled(place, patch)
        assert loaded() == before
        tick()
        tick()
        ((passed, reason),) = told()
        assert not passed
        assert named in reason


def test_of_a_lake_whose_state_an_earlier_version_left_all_tables_that_have_landed_are_assets(known):
    place, _ = known
    before = loaded()
    (place.folder / "home" / "lake" / "state.json").unlink()
    (place.folder / "home" / "definitions.json").write_text('{"of": "another version"}')
    raw = {key for key in before if key.split("/")[0] in {"raw", "heap", "migrated", "heap_sync"}}
    assert "heap_sync/signup" in raw
    assert raw <= loaded().keys()


def test_where_another_table_lies_is_not_kept_at_home_since_it_may_hold_a_password(known):
    place, _ = known
    kept = (place.folder / "home" / "definitions.json").read_text()
    assert "signup" in kept
    assert str(place.folder / "crm.csv") not in kept


def test_the_check_passes_again_once_definitions_that_can_read_all_are_loaded(known, monkeypatch):
    place, daemon = known
    with monkeypatch.context() as patch:
        patch.setenv("HEAP_FACTS_AS", "neither")
        with pytest.raises(Exception, match="HEAP_FACTS_AS"):
            place.tick("heap_manifests", daemon)
    place.tick("heap_manifests", daemon)
    (after, before) = daemon.event_log_storage.get_asset_check_execution_history(COMPLETE, limit=9)
    assert (after.evaluation.passed, before.evaluation.passed) == (True, False)
    assert os.environ.get("HEAP_FACTS_AS") is None
