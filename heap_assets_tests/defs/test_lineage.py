"""The lineage of the models is what their recipes read: more would cost needless runs, less would leave models behind.

Here: lineage beside recipes, for configurations with groups and without. Not here: which runs follow
(automation/test_conditions.py), what recipes make (pipeline/build/test_analysis.py).
"""

import json
import os

import dagster as dg
import pytest

from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import ANALYTICS_GROUP, MIGRATED, model_key, table_key
from heap_assets.models.catalog import recipes
from heap_assets.models.recipe import Inputs
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.resolve.configured_events import configured_events
from heap_assets.pipeline.sync import Sync
from heap_assets.schema.heap_tables import USERS
from heap_assets.settings import read_settings
from heap_assets_tests.defs.operated import events
from heap_assets_tests.exports.shorthand import data_file
from heap_assets_tests.published import run

ROWS = events((1, 1, 1, "2026-01-01"))
TABLES = ("sessions", "pageviews", "product_view", "order_completed", "Odd - Name", "odd - name")
SEGMENTS = [
    {"name": "doers", "did": "order_completed"},
    {"name": "others", "where": {"plan": "a"}, "did_not": "odd - name_2"},
]
FUNNELS = [
    {"name": "odd", "steps": ["Odd - Name", {"event": "sessions", "where": {"plan": "a"}}, "never"]},
    {"name": "long", "steps": ["product_view", "order_completed"], "scope": "session", "window": "1d"},
]
GROUPED = [*FUNNELS, {"name": "grouped", "steps": ["pageviews", "odd - name_2"], "group_by": "plan"}]
CONFIGURATIONS = {
    "packaged": None,
    "empty": {},
    "without groups": {"funnels": FUNNELS, "segments": SEGMENTS},
    "grouped": {"funnels": GROUPED, "segments": SEGMENTS, "conversion_events": ["order_completed"]},
}


@pytest.fixture(params=CONFIGURATIONS)
def sync(request, place, monkeypatch) -> Sync:
    """Lend a sync that has run with one of the configurations."""
    if CONFIGURATIONS[request.param] is not None:
        file = place.folder / "heap.yaml"
        file.write_text(json.dumps(CONFIGURATIONS[request.param]))
        monkeypatch.setenv("HEAP_CONFIG", str(file))
    migrations = data_file("from_user_id:long to_user_id:long time", (2, 1, "2026-01-01"))
    users = data_file("user_id:long plan", (1, "a"), (2, "b"))
    place.deliver(1, {"users": users, "user_migrations": migrations, **dict.fromkeys(TABLES, ROWS)})
    made = Sync(read_settings(os.environ), Silence())
    run(made)
    return made


def read_by_recipes(sync: Sync) -> dict[dg.AssetKey, set[dg.AssetKey]]:
    resolution = sync.resolution()
    configured = configured_events(sync.configuration, resolution.current)
    inputs = Inputs(
        configuration=sync.configuration, events=configured.found, event_tables=tuple(configured.published.values())
    )
    delivered = {published: name for name, published in configured.published.items()}
    read = {}
    for recipe in recipes(inputs):
        above = {table_key(MIGRATED, delivered[one.table]) for one in recipe.reads if one.table in delivered}
        above |= {model_key(ANALYTICS_GROUP, one.table) for one in recipe.reads if one.kind == "model"}
        above |= {table_key(MIGRATED, USERS.kind) for one in recipe.reads if one.kind == "users"}
        read[model_key(ANALYTICS_GROUP, recipe.model.name)] = above
    return read


def test_the_lineage_of_every_model_is_what_its_recipe_reads(sync):
    specs = [spec for spec in heap_definitions().resolve_all_asset_specs() if spec.group_name == ANALYTICS_GROUP]
    assert {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs} == read_by_recipes(sync)
