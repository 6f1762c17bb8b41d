"""Manifests: what a text says, and that every wrong form is one error that names file, place and value.

Here: one text at a time. Not here: which manifest counts (test_arrivals.py), which deliveries count (test_truth.py).
"""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.errors import ManifestError
from heap_assets.sources.heap.manifest import Delivery, Dump, content_digest, read_manifest

KEY = "manifests/sync_7.json"
MODIFIED = datetime(2024, 6, 1, 12, tzinfo=UTC)
USERS = {"name": "users", "files": ["s3://b/sync_7/users/a.avro"], "columns": ["user_id"], "incremental": True}
WHOLE = {"dump_id": 7, "tables": [USERS], "property_definitions": "s3://b/sync_7/property_definitions.json"}


def read(content: object) -> Dump:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_manifest(text, key=KEY, modified=MODIFIED)


def test_a_manifest_is_read():
    dump = read(WHOLE)
    assert (dump.dump_id, dump.manifest_key, dump.modified) == (7, KEY, MODIFIED)
    assert dump.property_definitions == "s3://b/sync_7/property_definitions.json"
    (delivery,) = dump.deliveries
    assert delivery == Delivery(table="users", incremental=True, columns=("user_id",), file_count=1)
    assert delivery.files == ("s3://b/sync_7/users/a.avro",)


def test_definitions_and_columns_may_be_missing_or_null():
    for table in ({**USERS, "columns": None}, {key: value for key, value in USERS.items() if key != "columns"}):
        dump = read({"dump_id": 7, "tables": [table], "property_definitions": None})
        assert dump.property_definitions is None
        assert dump.deliveries[0].columns == ()
    assert read({"dump_id": 7, "tables": []}).property_definitions is None


@pytest.mark.parametrize("dump_id", [0, "12", "007", 2**63 - 1, str(2**63 - 1)])
def test_a_dump_id_is_a_whole_number_or_its_digits(dump_id):
    assert read({**WHOLE, "dump_id": dump_id}).dump_id == int(dump_id)


def test_folder_markers_are_no_files():
    (delivery,) = read({**WHOLE, "tables": [{**USERS, "files": ["s3://b/sync_7/users/", "x"]}]}).deliveries
    assert (delivery.files, delivery.file_count) == (("x",), 1)


def test_what_heap_adds_one_day_does_not_hurt():
    assert read({**WHOLE, "schema_version": 2, "tables": [{**USERS, "rows": 5}]}).deliveries == read(WHOLE).deliveries


def test_a_table_that_is_listed_twice_has_the_files_of_both_and_is_full_if_one_is():
    again = {"name": "users", "files": ["b", "c"], "columns": ["plan", "user_id"], "incremental": False}
    other = {"name": "signup", "files": [], "columns": [], "incremental": True}
    users, signup = read({**WHOLE, "tables": [USERS, other, again]}).deliveries
    assert users.files == (*USERS["files"], "b", "c")
    assert (users.file_count, users.columns, users.incremental) == (3, ("user_id", "plan"), False)
    assert signup.table == "signup"


def test_names_are_taken_as_they_are():
    table = {**USERS, "name": 'Größe "x"/🎈', "files": ["s3://b/sync_7/a%20b+c.avro"], "columns": ["a b", "A B"]}
    (delivery,) = read({**WHOLE, "tables": [table]}).deliveries
    assert (delivery.table, delivery.columns, delivery.files) == (table["name"], ("a b", "A B"), tuple(table["files"]))


@pytest.mark.parametrize(
    ("content", "place", "value"),
    [
        ([], "the whole file", "[]"),
        (None, "the whole file", "null"),
        ("sync_7", "the whole file", '"sync_7"'),
        ({**WHOLE, "dump_id": None}, "dump_id", "null"),
        ({**WHOLE, "dump_id": -1}, "dump_id", "-1"),
        ({**WHOLE, "dump_id": 2**63}, "dump_id", str(2**63)),
        ({**WHOLE, "dump_id": True}, "dump_id", "true"),
        ({**WHOLE, "dump_id": 7.0}, "dump_id", "7.0"),
        ({**WHOLE, "dump_id": "seven"}, "dump_id", '"seven"'),
        ({**WHOLE, "dump_id": "-7"}, "dump_id", '"-7"'),
        ({**WHOLE, "dump_id": "²"}, "dump_id", '"\\u00b2"'),
        ({**WHOLE, "dump_id": "9" * 5000}, "dump_id", '"' + "9" * 79),
        ({"tables": []}, "dump_id", "null"),
        ({"dump_id": 7}, "tables", "null"),
        ({**WHOLE, "tables": {"users": {}}}, "tables", '{"users": {}}'),
        ({**WHOLE, "tables": [USERS, "users"]}, "tables[1]", '"users"'),
        ({**WHOLE, "tables": [{**USERS, "name": ""}]}, "tables[0].name", '""'),
        ({**WHOLE, "tables": [{**USERS, "name": 5}]}, "tables[0].name", "5"),
        ({**WHOLE, "tables": [{**USERS, "incremental": "yes"}]}, "tables[0].incremental", '"yes"'),
        ({**WHOLE, "tables": [{**USERS, "incremental": None}]}, "tables[0].incremental", "null"),
        ({**WHOLE, "tables": [{**USERS, "incremental": 1}]}, "tables[0].incremental", "1"),
        ({**WHOLE, "tables": [{**USERS, "files": None}]}, "tables[0].files", "null"),
        ({**WHOLE, "tables": [{**USERS, "files": "a.avro"}]}, "tables[0].files", '"a.avro"'),
        ({**WHOLE, "tables": [{**USERS, "files": ["a", 1]}]}, "tables[0].files", '["a", 1]'),
        ({**WHOLE, "tables": [{**USERS, "columns": "user_id"}]}, "tables[0].columns", '"user_id"'),
        ({**WHOLE, "tables": [{**USERS, "columns": [None]}]}, "tables[0].columns", "[null]"),
        ({**WHOLE, "property_definitions": 5}, "property_definitions", "5"),
        ({**WHOLE, "property_definitions": ["x"]}, "property_definitions", '["x"]'),
    ],
)
def test_a_wrong_form_is_an_error_that_names_file_place_value_and_what_to_do(content, place, value):
    with pytest.raises(ManifestError) as wrong:
        read(content)
    message = str(wrong.value)
    assert message.startswith(f"{KEY}: {place} is {value}"), message
    assert " there. Ask Heap for this dump again, or repair it." in message


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<Error><Code>SlowDown</Code></Error>",
        json.dumps(WHOLE).encode()[:-1],
        b'{"dump_id": 7} {}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"dump_id": 7, "tables": [{"name": "\\ud800", "files": [], "incremental": true}]}',
    ],
)
def test_a_text_that_is_no_json_is_an_error_that_names_the_file(text):
    with pytest.raises(ManifestError, match=f"^{KEY}: not JSON"):
        read(text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from([*WHOLE, *USERS]), parts, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(_json)
def test_any_json_is_a_manifest_or_a_manifest_error(content):
    with suppress(ManifestError):
        assert read(content).dump_id >= 0


def test_the_digest_tells_contents_apart_but_not_layouts():
    same = json.dumps(WHOLE, indent=4, sort_keys=True).encode()
    assert read(WHOLE).digest == read(same).digest == content_digest(WHOLE)
    assert read(WHOLE).digest != read({**WHOLE, "attempt": 2}).digest


def test_a_delivery_id_tells_dumps_contents_and_times_apart():
    later = read_manifest(json.dumps(WHOLE).encode(), key=KEY, modified=MODIFIED + timedelta(seconds=1))
    ids = {dump.delivery_id for dump in (read(WHOLE), read({**WHOLE, "dump_id": 8}), read({**WHOLE, "a": 1}), later)}
    assert len(ids) == 4
    assert all(set(delivery_id) <= set("0123456789abcdef-") for delivery_id in ids)
