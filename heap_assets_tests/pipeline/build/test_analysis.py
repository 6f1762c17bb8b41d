"""The analysis step: whole models against the oracle on dense exports, what is made anew when, and what is not.

Here: models and segments as they are published. Not here: the transforms by themselves (transforms/), odd exports
(test_any_cut.py).
"""

from collections import defaultdict
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heap_assets.limits import Limits
from heap_assets.pipeline.build.analytics_state import forget_analysis
from heap_assets_tests.exports.busy import CONFIGURATION, busy_exports
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import M, configured, edit_state, published_by, run, scratch, some, sync_of

EVENTS = "event_id:long user_id:long session_id:long time:timestamp-micros"
NINE = 1_710_061_200_000_000
ALONE = {key: [] for key in ("own_domains", "funnel_events", "conversion_events", "funnels", "segments")}


def rows(sync, query):
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        return connection.execute(query).fetchall()


def sync_with(folder, **keys):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    config = configured(home, **{**ALONE, **keys})
    return sync_of(folder / "export", home, HEAP_CONFIG=str(config))


def made(sync, *names):
    """Return the models that an analysis makes anew."""
    sync.land()
    sync.resolve()
    changed = {name for name, model in sync.analyze().models.items() if model.changed}
    sync.publish()
    return changed


@some(3)
@given(busy_exports(), st.sampled_from([1, 3]))
def test_the_models_of_dumps_taken_one_by_one_are_those_of_the_oracle_and_consistent(dumps, buckets):
    with scratch() as folder:
        for one in dumps:
            write_dump(folder / "export", one)
            sync = sync_with(folder, **CONFIGURATION)
            run(sync)
        expected = published_tables(folder / "export", analytics=CONFIGURATION)
        assert differences(expected, published_by(sync)) == []
        assert_funnels_never_grow(sync)
        assert_weights_sum_to_one(sync)

        forget_analysis(sync.storage)
        sync = sync_with(folder, **CONFIGURATION)
        resolved = sync.resolution()
        count = sum(resolved.tables[table.name].facts.migrated_rows for table in resolved.current.event_like())
        in_buckets = Limits(rows_of_a_gib=0, fewest_rows=count / buckets * 1.000001)
        sync.settings = replace(sync.settings, limits=in_buckets)
        files = sync.analyze().models["heap_events"].built.layers[0].files
        assert len(files) == buckets
        sync.publish()
        assert differences(expected, published_by(sync)) == []


def assert_funnels_never_grow(sync):
    steps = rows(sync, "SELECT funnel, group_value, users FROM heap_analytics.funnel_steps ORDER BY step_number")
    ordered = defaultdict(list)
    for funnel, group, count in steps:
        ordered[funnel, group].append(count)
    assert {funnel for funnel, _ in ordered} >= {"all", "visit"}
    assert all(counts == sorted(counts, reverse=True) for counts in ordered.values())


def assert_weights_sum_to_one(sync):
    conversion = "model, heap_event_name, heap_event_id, heap_user_id"
    sums = rows(sync, f"SELECT sum(weight) FROM heap_analytics.attribution GROUP BY {conversion}")
    assert all(total == pytest.approx(1) for (total,) in sums)


def shop(folder):
    """Write an export of two users who view, one of whom orders."""
    tables = {
        "users": data_file("user_id:long plan", (1, "gold"), (2, "free")),
        "sessions": data_file(f"{EVENTS} utm_source", (5, 1, 5, NINE, "mail"), (6, 2, 6, NINE, None)),
        "pageviews": data_file(EVENTS, (11, 1, 5, NINE), (12, 2, 6, NINE)),
        "view": data_file(EVENTS, (21, 1, 5, NINE), (22, 2, 6, NINE)),
        "order": data_file(EVENTS, (31, 1, 5, NINE + 60_000_000)),
        "_event_metadata": data_file("table_name ui_name", ("view", "Product - Looked at")),
    }
    write_dump(folder / "export", dump(1, tables))


def test_nothing_is_made_anew_while_nothing_changed_and_a_rebuild_makes_everything_anew(tmp_path):
    shop(tmp_path)
    assert made(sync_with(tmp_path, **CONFIGURATION)) >= {"heap_events", "funnel_steps", "segment_buyers", "paths"}
    assert made(sync_with(tmp_path, **CONFIGURATION)) == set()
    sync = sync_with(tmp_path, **CONFIGURATION)
    sync.resolve(rebuild=True)
    assert all(model.changed for model in sync.analyze().models.values())


def test_a_changed_funnel_is_picked_up_and_nothing_else_made_anew(tmp_path):
    shop(tmp_path)
    made(sync_with(tmp_path, funnels=[{"name": "f", "steps": ["order", "view"]}]))
    sync = sync_with(tmp_path, funnels=[{"name": "f", "steps": ["view", "order"]}])
    assert made(sync) == {"funnel_users", "funnel_steps"}
    found = rows(sync, "SELECT step_name, users FROM heap_analytics.funnel_steps ORDER BY step_number")
    assert found == [("view", 2), ("order", 1)]


@pytest.mark.parametrize(
    ("table", "file", "anew"),
    [
        ("users", data_file("user_id:long plan", (2, "gold")), {"heap_users", "segment_gold"}),
        (
            "sessions",
            data_file(EVENTS, (7, 1, 7, NINE)),
            {"heap_sessions", "heap_users", "attribution", "attribution_by_channel", "retention"},
        ),
    ],
)
def test_a_new_dump_makes_only_the_models_of_its_tables_anew(tmp_path, table, file, anew):
    shop(tmp_path)
    keys = {"segments": [{"name": "gold", "where": {"plan": "gold"}}], "funnels": [{"name": "f", "steps": ["view"]}]}
    made(sync_with(tmp_path, **keys))
    write_dump(tmp_path / "export", dump(2, {table: file}))
    assert made(sync_with(tmp_path, **keys)) == anew


def test_state_that_cannot_be_read_is_no_loss(tmp_path):
    shop(tmp_path)
    made(sync_with(tmp_path))
    edit_state(tmp_path / "home", "models", lambda _: {"models": 5})
    assert "heap_events" in made(sync_with(tmp_path))


def test_events_are_found_by_display_name_and_by_the_rule_and_unknown_ones_are_told(tmp_path):
    shop(tmp_path)
    sync = sync_with(
        tmp_path,
        funnels=[
            {"name": "f", "steps": ["Product - Looked at", "Order!"]},
            {"name": "none", "steps": ["ordr", "view"]},
        ],
        segments=[{"name": "idle", "did_not": "never"}],
    )
    run(sync)
    found = rows(sync, "SELECT funnel, step_name, users FROM heap_analytics.funnel_steps ORDER BY funnel, step_number")
    assert found == [("f", "Product - Looked at", 2), ("f", "Order!", 1), ("none", "ordr", 0), ("none", "view", 0)]
    assert rows(sync, f"SELECT user_id FROM {M}.segment_idle ORDER BY ALL") == [(1,), (2,)]
    assert sync.last_publication().warnings == (
        "funnel none, step 1: there is no event ordr; it counts as never done. Did you mean order?",
        "segment idle, did_not: there is no event never; it counts as never done.",
    )


def test_an_export_without_any_table_has_every_model_empty(tmp_path):
    write_dump(tmp_path / "export", dump(1, {}))
    sync = sync_with(tmp_path, **CONFIGURATION)
    run(sync)
    expected = published_tables(tmp_path / "export", analytics=CONFIGURATION)
    assert differences(expected, published_by(sync)) == []
    assert len([name for name in expected if name[0] == "heap_analytics"]) == 11


def test_models_and_their_columns_are_described_in_the_file(tmp_path):
    shop(tmp_path)
    sync = sync_with(tmp_path, **CONFIGURATION)
    run(sync)
    told = (
        "SELECT {name}, comment FROM duckdb_{kind}() WHERE schema_name = 'heap_analytics' AND comment IS NULL"
        " AND NOT internal AND {name} NOT IN ('plan')"
    )
    for kind, name in (("tables", "table_name"), ("views", "view_name"), ("columns", "column_name")):
        assert rows(sync, told.format(kind=kind, name=name)) == []


def test_large_models_are_views_and_small_ones_tables_unless_the_file_is_to_stand_alone(tmp_path):
    shop(tmp_path)
    kinds = "SELECT table_type FROM information_schema.tables WHERE table_name = '{}'"
    sync = sync_with(tmp_path)
    run(sync)
    assert rows(sync, kinds.format("heap_events")) == [("VIEW",)]
    assert rows(sync, kinds.format("funnel_steps")) == [("BASE TABLE",)]
    sync = sync_of(tmp_path / "export", tmp_path / "home", HEAP_FACTS_AS="tables")
    run(sync)
    assert rows(sync, kinds.format("heap_events")) == [("BASE TABLE",)]


def test_a_column_of_the_configuration_is_found_in_any_case(tmp_path):
    shop(tmp_path)
    sync = sync_with(tmp_path, segments=[{"name": "gold", "where": {"PLAN": "gold"}}])
    run(sync)
    assert rows(sync, f"SELECT user_id FROM {M}.segment_gold") == [(1,)]
