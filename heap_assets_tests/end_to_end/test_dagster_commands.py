"""Dagster's own command lines on a fresh home: definitions load, and the job does what ``heap-assets sync`` does.

Here: ``dagster job execute``, ``dg check defs``, ``dg list defs``. Not here: ``dagster dev`` (test_dagster_ui.py).
"""

import json

import duckdb
import pytest

from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets_tests.working_copy import clean_environment, run_command, working_copy

pytestmark = pytest.mark.slow

EXECUTE = "uv run dagster job execute -m heap_assets.definitions -j heap_sync"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Lend a working copy, and beside it an export."""
    folder = tmp_path_factory.mktemp("commands")
    write_sample(folder / "export", SampleSize(users=40, days=5))
    return working_copy(folder / "copy")


@pytest.fixture(scope="module")
def environment(copy):
    return clean_environment(HEAP_EXPORT_URI=str(copy.parent / "export"))


def listed(copy, environment) -> dict[str, set[str]]:
    """Return the names of the definitions that ``dg`` lists, by kind."""
    text = run_command("uv run dg list defs --json 2>/dev/null", copy, environment)
    found = json.loads(text[text.index("{") :])
    return {kind: {one.get("asset_key") or one["name"] for one in found[kind]} for kind in ("jobs", "assets")}


def test_definitions_load_before_anything_is_landed_and_without_a_usable_export(copy):
    run_command("uv run dg check defs", copy, clean_environment(HEAP_EXPORT_URI="s3://"))


def test_the_job_runs_on_a_fresh_home_its_tables_are_assets_afterwards_and_the_next_run_lands_nothing(
    copy, environment
):
    before = listed(copy, environment)
    assert before["jobs"] == {"heap_sync", "heap_freshness", "heap_maintenance"}
    assert "heap/order_completed" not in before["assets"]

    run_command(EXECUTE, copy, environment)

    with duckdb.connect(copy / ".heap" / "heap.duckdb", read_only=True) as connection:
        (events,) = connection.execute("SELECT count(*) FROM main_production_migrated.all_events").fetchone()
    assert events > 0
    assert "heap/order_completed" in listed(copy, environment)["assets"]
    assert "0 dumps to land, 0 files" in run_command(EXECUTE, copy, environment)
