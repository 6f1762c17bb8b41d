"""Shapes: which columns a table has, in which type, and under which names tables and columns are published.

Here: shapes of described files. Not here: reading their values (targets/duckdb/test_views.py).
"""

from dataclasses import dataclass, field

import pytest

from heap_assets.schema.all_events import union_columns
from heap_assets.schema.published_tables import published_tables
from heap_assets.schema.stored_columns import delivered_column, escaped, stored_name, unescaped
from heap_assets.schema.table_schema import TableSchema, schema_of_files
from heap_assets.schema.value_types import ValueType, resolved_type

TEXT, LONG, DOUBLE, TIME, BOOLEAN = (
    ValueType.TEXT,
    ValueType.LONG,
    ValueType.DOUBLE,
    ValueType.TIME,
    ValueType.BOOLEAN,
)
EVENT_IDS = {"event_id$long": 0, "user_id$long": 0, "time$time": 0}


@dataclass(frozen=True)
class Held:
    """A file of three rows, with the nulls of each stored column."""

    nulls: dict[str, int] = field(default_factory=dict)
    rows: int = 3


def event(*files: dict[str, int], name: str = "signup") -> TableSchema:
    return schema_of_files(name, [Held({**EVENT_IDS, **nulls}) for nulls in files])


def types(shape: TableSchema) -> dict[str, ValueType]:
    return {column.name: column.type for column in shape.columns}


IDS = {"event_id": LONG, "user_id": LONG, "time": TIME}


def test_a_table_has_the_columns_of_its_files_documented_ones_first():
    shape = event({"price$double": 0, "library": 0}, {"Plan": 0, "session_id$long": 1})
    assert list(types(shape)) == ["event_id", "user_id", "session_id", "time", "library", "Plan", "price"]


@pytest.mark.parametrize(
    ("stored", "resolved"),
    [
        ({"x$long": 0}, LONG),
        ({"x$long": 0, "x$double": 0}, DOUBLE),
        ({"x$long": 0, "x": 0}, TEXT),
        ({"x$boolean": 0, "x$long": 0}, TEXT),
        ({"x$boolean": 0}, BOOLEAN),
        ({"x$time": 0, "x": 0}, TIME),
        ({"x$long": 3, "x$double": 2}, DOUBLE),
        ({"x$long": 3}, TEXT),
    ],
)
def test_a_column_has_the_narrowest_type_that_holds_what_is_not_null_throughout_a_file(stored, resolved):
    column = event(stored).column("x")
    assert column
    assert column.type is resolved
    assert set(column.stored) == {delivered_column(name)[1] for name, nulls in stored.items() if nulls < 3}


def test_types_are_resolved_over_all_files():
    assert types(event({"x$long": 0}, {"x$double": 0}, {"x": 3}))["x"] is DOUBLE


def test_ids_and_times_have_their_type_whatever_came():
    shape = event({"session_id": 0, "session_id$long": 3, "time": 1})
    assert types(shape) == {**IDS, "session_id": LONG}
    session = shape.column("session_id")
    assert session
    assert session.stored == ()


def test_a_table_without_files_has_the_columns_of_its_manifests_and_those_that_it_must_have():
    shape = schema_of_files("signup", [], manifest_columns=["plan", "session_time", "event_id"])
    assert types(shape) == {**IDS, "plan": TEXT, "session_time": TEXT}
    assert types(event({}, name="signup")) == IDS
    assert types(schema_of_files("signup", [Held(EVENT_IDS)], manifest_columns=["plan"])) == IDS


def test_event_metadata_always_has_its_documented_columns_and_the_history_has_none():
    assert len(schema_of_files("_event_metadata", []).columns) == 8
    assert schema_of_files("_sync_history", []).columns == ()


def test_rows_that_lack_an_id_are_known_from_the_null_counts():
    assert not event({}).unkeyed
    assert event({"user_id$long": 1}).unkeyed
    assert not event({"session_id$long": 3}).unkeyed
    assert schema_of_files("sessions", [Held({**EVENT_IDS, "session_id$long": 1})]).unkeyed
    assert schema_of_files("signup", [Held({"event_id$long": 0})]).unkeyed
    assert not schema_of_files("signup", [Held({}, rows=0)]).unkeyed


def test_a_column_that_meets_an_id_gives_way_whatever_its_case():
    shape = event({"USER_ID": 0, "TIME$long": 0, "Session_Id": 0})
    names = shape.names_in_s()
    assert names["USER_ID"] == "USER_ID_2"
    assert names["TIME"] == "TIME_2"
    assert names["Session_Id"] == "Session_Id"
    assert event({"Session_Id": 0, "session_id$long": 0}).names_in_s()["Session_Id"] == "Session_Id_2"


def test_original_user_id_is_ours_only_in_the_migrated_schema_of_event_tables():
    shape = event({"original_user_id$long": 0})
    assert shape.names_in_s()["original_user_id"] == "original_user_id"
    assert shape.names_in_migrated()["original_user_id"] == "original_user_id_2"
    users = schema_of_files("users", [Held({"user_id$long": 0, "original_user_id": 0})])
    assert users.names_in_migrated()["original_user_id"] == "original_user_id"


def test_tables_that_meet_ours_or_each_other_get_a_suffix_and_heaps_own_never():
    names = published_tables(["users", "Users", "all_events", "identity_map", "_quarantine", "signup", "Signup"])
    assert names.in_s == {
        "users": "users",
        "Users": "Users_2",
        "all_events": "all_events_2",
        "identity_map": "identity_map",
        "_quarantine": "_quarantine_2",
        "Signup": "Signup",
        "signup": "signup_2",
    }
    assert names.in_migrated["identity_map"] == "identity_map_2"
    assert names.in_migrated["_quarantine"] == "_quarantine"


def test_a_segments_table_is_ours_in_the_migrated_schema():
    names = published_tables(["segment_gold"], segments=["gold", "silver"])
    assert names.in_s["segment_gold"] == "segment_gold"
    assert names.in_migrated["segment_gold"] == "segment_gold_2"


def test_all_events_has_the_columns_of_every_table_in_the_type_that_holds_all():
    shapes = [event({"x$long": 0, "a": 0}), event({"x": 0}, name="b"), event({"x$long": 3}, name="c")]
    columns = {column.name: column for column in union_columns(shapes, column_set="all")}
    assert list(columns) == ["event_id", "user_id", "session_id", "time", "a", "x"]
    assert columns["x"].type is TEXT
    assert set(columns["x"].tables) == {"signup", "b", "c"}
    assert columns["session_id"].tables == {}


def test_a_column_that_is_null_in_one_table_does_not_count_for_the_type():
    columns = union_columns([event({"x$long": 0}), event({"x": 3}, name="b")], column_set="all")
    assert {column.name: column.type for column in columns}["x"] is LONG


@pytest.mark.parametrize(
    ("column_set", "kept"),
    [
        ("all", ["library", "Browser", "plan"]),
        ("builtin", ["library", "Browser"]),
        ("basic", []),
    ],
)
def test_all_events_may_be_reduced_to_documented_or_basic_columns(column_set, kept):
    columns = union_columns([event({"plan": 0, "library": 0, "Browser": 0})], column_set=column_set)
    assert [column.name for column in columns] == ["event_id", "user_id", "session_id", "time", *kept]


def test_in_all_events_names_of_ours_and_of_other_tables_get_suffixes():
    shapes = [event({"Plan": 0, "event_table_name": 0, "original_user_id": 0}), event({"plan": 0}, name="b")]
    columns = union_columns(shapes, column_set="all", reserved=["original_user_id"])
    assert {column.name: column.published for column in columns if column.name != column.published} == {
        "plan": "plan_2",
        "event_table_name": "event_table_name_2",
        "original_user_id": "original_user_id_2",
    }


@pytest.mark.parametrize("name", ["", "a", "A", "_", "~", "a$b", "$", "Größe/🎈", "a b", "~41", "\ud800", "\0"])
def test_a_name_survives_being_stored(name):
    assert unescaped(escaped(name)) == name
    assert set(escaped(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_~")
    for kind in ValueType:
        assert delivered_column(stored_name(name, kind)) == (name, kind)


def test_no_types_are_text_and_a_timestamp_outweighs_all():
    assert resolved_type([]) is TEXT
    assert resolved_type([LONG, LONG]) is LONG
    assert resolved_type([LONG, TIME, TEXT]) is TIME
    assert resolved_type([LONG, DOUBLE, TEXT]) is TEXT
