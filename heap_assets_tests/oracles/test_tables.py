from datetime import timedelta

import pytest

from heap_assets_tests.exports.description import Listing
from heap_assets_tests.exports.pools import FIRST
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.export_reader import ExportBroken
from heap_assets_tests.oracles.tables import published_state, published_tables
from heap_assets_tests.oracles.typing_rules import EPOCH

S, M = "main_production", "main_production_migrated"
KEY = "event_id:long user_id:long time:long"
NINE_THIRTY = EPOCH + timedelta(microseconds=FIRST)


def publish(root, *dumps, **settings):
    for described in dumps:
        write_dump(root, described)
    return published_tables(root, analytics=None, **settings)


def named(table, *columns):
    places = [list(table.columns).index(column) for column in columns]
    return sorted((tuple(row[place] for place in places) for row in table.rows), key=repr)


def test_an_empty_export_publishes_our_own_tables_empty(tmp_path):
    tables = publish(tmp_path)

    assert set(tables) == {
        (S, "all_events"),
        (S, "_event_metadata"),
        (S, "_sync_info"),
        (S, "_sync_history"),
        (S, "_quarantine"),
        (M, "all_events"),
        (M, "identity_map"),
    }
    assert all(table.rows == [] for table in tables.values())
    assert tables[S, "all_events"].columns == {
        "event_id": "BIGINT",
        "user_id": "BIGINT",
        "session_id": "BIGINT",
        "time": "TIMESTAMP",
        "event_table_name": "VARCHAR",
    }
    assert tables[M, "all_events"].columns == tables[S, "all_events"].columns | {"original_user_id": "BIGINT"}


def test_the_schema_carries_the_configured_name(tmp_path):
    assert (("app_dev_migrated", "identity_map")) in publish(tmp_path, schema="app_dev")


def test_a_table_exists_from_its_first_file_on_and_stays_when_emptied(tmp_path):
    signup = data_file(KEY, (1, 1, 0), state="missing")
    dumps = [dump(1, {"order": Listing("order")}), dump(2, {"signup": signup}), dump(3, {"signup": full("signup")})]

    tables = publish(tmp_path, *dumps)
    assert tables[S, "signup"].rows == tables[M, "signup"].rows == []
    assert (S, "order") not in tables
    assert (S, "signup") not in published_tables(tmp_path, upto=1)


def test_delivered_names_that_meet_ours_get_a_suffix_only_where_they_meet(tmp_path):
    names = ("all_events", "identity_map", "_quarantine", "_Sync_Info", "Users", "users")
    files = {name: data_file("user_id:long", (1,)) if name == "users" else data_file(KEY, (1, 1, 0)) for name in names}

    tables = publish(tmp_path, dump(1, files))

    assert {"all_events_2", "identity_map", "_quarantine_2", "_Sync_Info_2", "Users_2", "users"} <= _names(tables, S)
    assert {"all_events_2", "identity_map_2", "_quarantine", "_Sync_Info", "Users_2", "users"} <= _names(tables, M)
    s_names = [("Users_2",), ("_Sync_Info_2",), ("_quarantine_2",), ("all_events_2",), ("identity_map",)]
    assert sorted(named(tables[S, "all_events"], "event_table_name")) == s_names
    m_names = [("Users_2",), ("_Sync_Info",), ("_quarantine",), ("all_events_2",), ("identity_map_2",)]
    assert sorted(named(tables[M, "all_events"], "event_table_name")) == m_names


def _names(tables, schema):
    return {name for found, name in tables if found == schema}


def test_columns_that_meet_are_numbered_and_required_ones_keep_their_names(tmp_path):
    file = data_file(f"{KEY} price:long Price:double TIME original_user_id:long", (1, 1, 0, 5, 0.5, "x", 9))

    tables = publish(tmp_path, dump(1, {"signup": file}))

    delivered = {"price_2": "BIGINT", "Price": "DOUBLE", "TIME_2": "VARCHAR"}
    ids = {"event_id": "BIGINT", "user_id": "BIGINT", "time": "TIMESTAMP"}
    assert tables[S, "signup"].columns == ids | delivered | {"original_user_id": "BIGINT"}
    ours = {"original_user_id": "BIGINT", "original_user_id_2": "BIGINT"}
    assert tables[M, "signup"].columns == ids | delivered | ours
    assert named(tables[M, "signup"], "original_user_id", "original_user_id_2") == [(1, 9)]


def test_session_time_is_a_column_like_any_other(tmp_path):
    tables = publish(tmp_path, dump(1, {"signup": data_file(f"{KEY} session_time:long", (1, 1, 0, 5))}))

    for name in ((S, "signup"), (M, "signup"), (S, "all_events"), (M, "all_events")):
        assert tables[name].columns["session_time"] == "BIGINT"
        assert named(tables[name], "session_time") == [(5,)]


def test_all_events_takes_each_property_by_its_delivered_name(tmp_path):
    signup = data_file(f"{KEY} Price:long price:long event_table_name", (1, 1, 0, 5, 6, "mine"))
    order = data_file(f"{KEY} price:double", (2, 1, 0, 0.5))

    table = publish(tmp_path, dump(1, {"signup": signup, "order": order}))[S, "all_events"]

    assert (table.columns["Price"], table.columns["price_2"]) == ("BIGINT", "DOUBLE")
    assert named(table, "event_id", "Price", "price_2", "event_table_name", "event_table_name_2", "session_id") == [
        (1, 5, 6.0, "signup", "mine", None),
        (2, None, 0.5, "order", None, None),
    ]


def test_all_events_resolves_types_across_the_tables_that_declare_one(tmp_path):
    signup = data_file(f"{KEY} a:long b:long c", (1, 1, 0, 5, 1_710_063_000, None))
    order = data_file(f"{KEY} a:boolean b:timestamp-micros c:boolean", (2, 1, 0, True, FIRST, True))

    table = publish(tmp_path, dump(1, {"signup": signup, "order": order}))[S, "all_events"]

    assert [table.columns[name] for name in "abc"] == ["VARCHAR", "TIMESTAMP", "BOOLEAN"]
    assert named(table, "a", "b", "c") == [("5", NINE_THIRTY, None), ("true", NINE_THIRTY, True)]


@pytest.mark.parametrize(
    ("column_set", "columns"),
    [
        ("basic", {"event_id", "user_id", "session_id", "time", "event_table_name"}),
        ("builtin", {"event_id", "user_id", "session_id", "time", "event_table_name", "IP", "title"}),
        ("all", {"event_id", "user_id", "session_id", "time", "event_table_name", "IP", "title", "plan", "USER_ID_2"}),
    ],
)
def test_all_events_can_carry_fewer_columns(tmp_path, column_set, columns):
    if column_set == "builtin":
        columns = columns | {"USER_ID_2"}  # matched without case
    file = data_file(f"{KEY} IP title plan USER_ID", (1, 1, 0, "ip", "title", "gold", "7"))

    tables = publish(tmp_path, dump(1, {"signup": file}), all_events_columns=column_set)

    assert set(tables[S, "all_events"].columns) == columns
    assert set(tables[M, "all_events"].columns) == columns | {"original_user_id"}


def test_dropped_tables_are_shown_as_delivered_and_sync_history_is_not(tmp_path):
    dropped = data_file("event_table_name dropped_at", ("a", "2024-03-10"), ("a", "2024-03-10"))
    history = data_file("status", ("from heap",))

    tables = publish(tmp_path, dump(1, {"_dropped_tables": dropped, "_sync_history": history}))

    assert tables[S, "_dropped_tables"].rows == [("a", "2024-03-10"), ("a", "2024-03-10")]
    assert (M, "_dropped_tables") not in tables
    assert [row[:2] for row in tables[S, "_sync_history"].rows] == [(1, "succeeded")]


@pytest.mark.parametrize("form", ["avro", "json", "jsonl"])
def test_event_metadata_is_the_last_delivery_with_published_table_names(tmp_path, form):
    first = data_file("table_name notes", ("gone", "old"), form=form)
    columns = "table_name ui_name last_updated_at verified_at"
    last = data_file(columns, ("Signup", "Sign Up", "1710063000000", "0"), ("signup", None, "", None), form=form)
    tables = {"signup": data_file(KEY), "Signup": data_file(KEY)}

    found = publish(tmp_path, dump(1, {"_event_metadata": first, **tables}), dump(2, {"_event_metadata": last}))

    table = found[S, "_event_metadata"]
    assert named(table, "table_name", "ui_name", "last_updated_at", "verified_at", "notes") == [
        ("Signup", "Sign Up", NINE_THIRTY, None, None),
        ("signup_2", None, None, None, None),
    ]


def test_quarantine_names_the_table_as_published(tmp_path):
    file = data_file("event_id user_id:long time", ("1", 1, ""), ("x", 1, ""), name="a.avro")

    table = publish(tmp_path, dump(1, {"all_events": file}))[S, "_quarantine"]

    assert [row[:4] for row in table.rows] == [("all_events_2", 1, "s3://heap-rs3-acme/sync_1/all_events/a.avro", 2)]


def test_a_redelivery_replaces_all_that_its_dump_said(tmp_path):
    tables = publish(
        tmp_path,
        dump(1, {"signup": data_file(KEY, (1, 1, 0)), "order": data_file(KEY, (1, 1, 0))}),
        dump(1, {"signup": data_file(KEY, (2, 1, 0), name="b.avro")}, attempt=1),
    )

    assert named(tables[S, "signup"], "event_id") == [(2,)]
    assert (S, "order") not in tables


def test_the_state_is_that_before_the_first_failing_dump(tmp_path):
    signup, missing = data_file(KEY, (1, 1, 0)), data_file(KEY, name="a.avro", state="missing")
    dumps = [dump(1, {"signup": signup}), dump(2, {"signup": missing}), dump(3, {"signup": signup})]

    with pytest.raises(ExportBroken):
        publish(tmp_path, *dumps)
    tables, failure = published_state(tmp_path)
    assert failure.dump_id == 2
    assert named(tables[S, "_sync_history"], "dump_id") == [(1,)]
