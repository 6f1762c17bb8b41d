"""Refreshing the models for the users that changed: the same tables, bit by bit, as making them for everybody.

Here: any sequence of dumps, merges, resyncs and changed configurations, with layers put together early, late and never.
Not here: what should be in the models (test_analysis.py).
"""

import math
import struct
from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heap_assets.limits import LayerLimits
from heap_assets_tests.exports.busy import CONFIGURATION, busy_exports
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import configured, limited, published_by, run, scratch, some, sync_of

EVENTS = "event_id:long user_id:long session_id:long time:timestamp-micros plan"
NINE = 1_710_061_200_000_000
OTHER = {**CONFIGURATION, "funnels": [{"name": "all", "steps": ["add", "order"]}], "conversion_events": ["add"]}


def sync_with(folder, home, **keys):
    (folder / home).mkdir(exist_ok=True)
    return sync_of(folder / "export", folder / home, HEAP_CONFIG=str(configured(folder / home, **keys)))


def bits(value):
    return struct.pack("<d", value) if isinstance(value, float) and not math.isnan(value) else repr(value)


def exactly(sync):
    """Return every published table as its columns and its rows in any order, floats bit by bit."""
    return {
        name: (tuple(table.columns), Counter(tuple(map(bits, row)) for row in table.rows))
        for name, table in published_by(sync).items()
    }


def refreshed(sync):
    """Run a sync; return the models that were made for some users, and those made for everybody."""
    sync.land()
    sync.resolve()
    models = sync.analyze().models
    sync.publish()
    changed = {name for name, model in models.items() if model.changed and model.model.user_local}
    return {name for name in changed if not models[name].full}, {name for name in changed if models[name].full}


@some(2)
@given(
    busy_exports(),
    st.sampled_from([(1, 9.0), (2, 9.0), (8, 0.25), (99, 1e9)]),
    st.sampled_from([1, 2, 8]),
    st.sampled_from([1, 2, 5_000]),
    st.data(),
)
def test_dump_by_dump_ends_bit_by_bit_in_what_a_first_run_makes(dumps, limits, most_files, most_ahead, data):
    limited_to = limited(
        most_small_files=most_files,
        most_user_row_files=most_files,
        most_times_ahead=most_ahead,
        layers=LayerLimits(most_layers=limits[0], largest_share=limits[1]),
    )
    with limited_to, scratch() as folder:
        for one in dumps:
            write_dump(folder / "export", one)
            sync = sync_with(folder, "home", **data.draw(st.sampled_from([CONFIGURATION, CONFIGURATION, OTHER])))
            if data.draw(st.booleans(), label="ends before the models"):
                sync.land()
                sync.resolve()
            else:
                run(sync)
        last = sync_with(folder, "home", **CONFIGURATION)
        run(last)
        first = sync_with(folder, "first", **CONFIGURATION)
        run(first)
        assert exactly(last) == exactly(first)
        assert facts(last) == facts(first)


def facts(sync):
    return {name: table.facts for name, table in sync.resolution().tables.items()}


def people(folder, users=40):
    """Write an export of people who each view and order in one session."""
    each = range(1, users + 1)
    tables = {
        "users": data_file("user_id:long plan", *((user, "gold") for user in each)),
        "sessions": data_file(EVENTS, *((user + 100, user, user + 100, NINE, None) for user in each)),
        "view": data_file(EVENTS, *((user + 200, user, user + 100, NINE, None) for user in each)),
        "order": data_file(EVENTS, *((user + 300, user, user + 100, NINE + 60_000_000, None) for user in each)),
    }
    write_dump(folder / "export", dump(1, tables))


LOCAL = {"heap_events", "heap_sessions", "funnel_users", "attribution", "segment_buyers"}


def test_a_small_dump_makes_rows_for_its_users_alone(tmp_path):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    write_dump(tmp_path / "export", dump(2, {"view": data_file(EVENTS, (999, 7, 107, NINE, None))}))
    sync = sync_with(tmp_path, "home", **CONFIGURATION)
    some_users, everybody = refreshed(sync)
    assert (some_users >= {"heap_events", "heap_sessions", "funnel_users"}, everybody) == (True, set())
    (_, layer) = sync.analyze().models["heap_events"].built.layers
    made = pl.read_parquet(sync.storage.local_copy(layer.files[0]), glob=False)
    assert made["heap_user_id"].unique().to_list() == [7]
    assert layer.rows == 3


@pytest.mark.parametrize(("rows_of_a_bucket", "fits"), [(40, True), (2, False)])
def test_changed_users_who_are_more_than_a_bucket_of_everybody_are_made_with_everybody(
    tmp_path, monkeypatch, rows_of_a_bucket, fits
):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    write_dump(tmp_path / "export", dump(2, {"view": data_file(EVENTS, (999, 7, 107, NINE, None))}))
    with limited(fewest_rows=rows_of_a_bucket, rows_of_a_gib=0, few_users=0):
        some_users, everybody = refreshed(sync_with(tmp_path, "home", **CONFIGURATION))
    assert ("heap_events" in some_users, "heap_events" in everybody) == (fits, not fits)


def test_a_merge_changes_both_users_and_nobody_else(tmp_path):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    write_dump(
        tmp_path / "export", dump(2, {"user_migrations": data_file("from_user_id:long to_user_id:long", (3, 9))})
    )
    sync = sync_with(tmp_path, "home", **CONFIGURATION)
    some_users, everybody = refreshed(sync)
    assert (some_users >= LOCAL, everybody) == (True, set())
    layer = sync.analyze().models["heap_sessions"].built.layers[-1]
    assert pl.read_parquet(sync.storage.local_copy(layer.users), glob=False)["user_id"].to_list() == [3, 9]
    assert layer.rows == 2


def test_what_came_in_a_run_that_ended_before_the_models_is_refreshed_by_the_next(tmp_path):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    merges = [(3, 9), (4, 9)]
    for number in (1, 2):  # the first merge is resolved by a run that makes no models
        moved = data_file("from_user_id:long to_user_id:long", *merges[:number])
        view = data_file(EVENTS, (998 + number, number, 100 + number, NINE, None))
        write_dump(tmp_path / "export", dump(1 + number, {"user_migrations": moved, "view": view}))
        sync = sync_with(tmp_path, "home", **CONFIGURATION)
        sync.land()
        sync.resolve()
    some_users, everybody = refreshed(sync)
    assert (some_users >= LOCAL, everybody) == (True, set())
    layer = sync.analyze().models["heap_sessions"].built.layers[-1]
    assert pl.read_parquet(sync.storage.local_copy(layer.users), glob=False)["user_id"].to_list() == [1, 2, 3, 4, 9]
    first = sync_with(tmp_path, "first", **CONFIGURATION)
    run(first)
    assert exactly(sync) == exactly(first)


def test_a_full_resync_refreshes_whom_it_takes_away(tmp_path):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    orders = data_file(EVENTS, *((user + 300, user, user + 100, NINE + 60_000_000, None) for user in range(1, 39)))
    write_dump(tmp_path / "export", dump(2, {"order": full("order", orders)}))
    sync = sync_with(tmp_path, "home", **CONFIGURATION)
    some_users, everybody = refreshed(sync)
    assert (some_users >= {"heap_events", "funnel_users"}, everybody) == (True, set())
    first = sync_with(tmp_path, "first", **CONFIGURATION)
    run(first)
    assert exactly(sync) == exactly(first)


def test_a_changed_rule_makes_what_follows_from_it_for_everybody(tmp_path):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    changed = {**CONFIGURATION, "conversion_events": ["view"]}
    some_users, everybody = refreshed(sync_with(tmp_path, "home", **changed))
    assert (some_users, everybody) == (set(), {"heap_events", "heap_sessions", "attribution"})


def test_a_column_that_changes_its_type_makes_what_reads_it_for_everybody(tmp_path):
    people(tmp_path)
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    typed = "event_id:long user_id:long session_id:long time:timestamp-micros plan:long"
    write_dump(tmp_path / "export", dump(2, {"add": data_file(typed, (1, 7, 107, NINE, 5))}))
    run(sync_with(tmp_path, "home", **CONFIGURATION))
    write_dump(tmp_path / "export", dump(3, {"add": data_file(EVENTS, (2, 8, 108, NINE, "gold"))}))
    some_users, everybody = refreshed(sync_with(tmp_path, "home", **CONFIGURATION))
    assert everybody == {"funnel_users"}
    assert "heap_events" in some_users


def test_layers_are_put_together_when_they_become_many(tmp_path):
    people(tmp_path)
    most = 0
    for number in range(2, 13):
        rows = data_file(EVENTS, (900 + number, number % 3 + 1, None, NINE + number, None))
        write_dump(tmp_path / "export", dump(number, {"view": rows}))
        sync = sync_with(tmp_path, "home", **CONFIGURATION)
        run(sync)
        most = max(most, len(sync.analyze().models["heap_events"].built.layers))
    assert 2 < most <= 8
    first = sync_with(tmp_path, "first", **CONFIGURATION)
    run(first)
    assert exactly(sync) == exactly(first)
