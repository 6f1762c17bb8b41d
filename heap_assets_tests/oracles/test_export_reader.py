import json
import os

import pytest

from heap_assets_tests.exports.description import Field, File
from heap_assets_tests.exports.pools import DAY, FIRST
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import file_bytes, write_dump
from heap_assets_tests.oracles.export_reader import Unreadable, manifests, path_below, sync_reports
from heap_assets_tests.oracles.export_reader import data_file as read

USERS = {"users": data_file("user_id:long", (1,))}


def described(path, file, **settings):
    path.write_bytes(file_bytes(file))
    return read(path, **{"may_be_json": False, **settings})


def test_dumps_are_ordered_as_numbers(tmp_path):
    for dump_id in (999, 1000, 20):
        write_dump(tmp_path, dump(dump_id, USERS))

    assert [found.dump_id for found in manifests(tmp_path)] == [20, 999, 1000]


def test_of_two_manifests_of_a_dump_the_one_modified_last_counts(tmp_path):
    write_dump(tmp_path, dump(5, {}, modified=FIRST + DAY, manifest_name="a.json", attempt=2))
    write_dump(tmp_path, dump(5, USERS, modified=FIRST, manifest_name="b.json"))

    (found,) = manifests(tmp_path)
    assert found.tables == ()


def test_equal_content_keeps_the_first_time(tmp_path):
    write_dump(tmp_path, dump(5, USERS, modified=FIRST, manifest_name="b.json"))
    write_dump(tmp_path, dump(5, USERS, modified=FIRST + DAY, manifest_name="a.json"))

    (found,) = manifests(tmp_path)
    assert found.path.name == "b.json"


def test_a_manifest_that_is_no_json_belongs_to_the_dump_of_its_name(tmp_path):
    write_dump(tmp_path, dump(5, USERS, manifest="garbage"))

    (found,) = manifests(tmp_path)
    assert (found.dump_id, found.content) == (5, None)


def test_a_folder_without_a_manifest_is_no_dump(tmp_path):
    write_dump(tmp_path, dump(5, USERS, manifest="absent"))

    assert manifests(tmp_path) == []


def test_a_key_starts_at_the_first_segment_of_its_dump(tmp_path):
    assert path_below(tmp_path, 1, "s3://b/sync_11/sync_1/t/sync_1/x%2F.avro") == tmp_path / "sync_1/t/sync_1/x%2F.avro"


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2"])
def test_every_codec_is_read(tmp_path, codec):
    file = data_file("user_id:long plan", (1, "a"), (2, None), codec=codec)

    assert described(tmp_path / "x", file).rows == ({"user_id": 1, "plan": "a"}, {"user_id": 2, "plan": None})


def test_declared_types_count_in_each_form_of_a_field_unless_all_is_null(tmp_path):
    fields = tuple(Field(name, kind, union) for name, kind, union in FORMS)
    file = File("x", fields, ((1, 1.5, True, FIRST, None, None), (2, 2.5, False, FIRST, None, None)))

    assert described(tmp_path / "x", file).types == {
        "whole": {"BIGINT"},
        "part": {"DOUBLE"},
        "flag": {"BOOLEAN"},
        "moment": {"TIMESTAMP"},
    }


FORMS = [
    ("whole", "int", "bare"),
    ("part", "float", "null_first"),
    ("flag", "boolean", "null_last"),
    ("moment", "local-timestamp-micros", "null_first"),
    ("nothing", "null", "bare"),
    ("text", "string", "null_last"),
]


@pytest.mark.parametrize("state", ["truncated", "garbage", "empty"])
def test_a_broken_file_is_unreadable(tmp_path, state):
    with pytest.raises(Unreadable):
        described(tmp_path / "x", data_file("user_id:long", (1,), state=state))


def test_a_truncated_file_without_rows_is_unreadable(tmp_path):
    with pytest.raises(Unreadable):
        described(tmp_path / "x", data_file("user_id:long", state="truncated"))


@pytest.mark.parametrize("form", ["avro", "json", "jsonl"])
def test_event_metadata_is_read_in_each_form(tmp_path, form):
    found = described(
        tmp_path / "x", data_file("table_name verified:boolean", ("a", True), form=form), may_be_json=True
    )

    assert found.rows == ({"table_name": "a", "verified": True},)
    assert found.types == {"table_name": {"VARCHAR"}, "verified": {"BOOLEAN"}}


def test_a_report_belongs_to_the_number_of_its_field_else_of_its_name(tmp_path):
    folder = tmp_path / "sync_reports"
    folder.mkdir()
    for name, report in {"sync_7.json": {"status": "a"}, "8.json": {"dump_id": "9"}, "10.json": []}.items():
        (folder / name).write_text(json.dumps(report))

    assert sync_reports(tmp_path) == {7: {"status": "a"}, 9: {"dump_id": "9"}}


def test_of_two_reports_of_a_dump_the_one_modified_last_counts(tmp_path):
    folder = tmp_path / "sync_reports"
    folder.mkdir()
    for name, time in {"sync_7.json": 2, "7.json": 1}.items():
        (folder / name).write_text(json.dumps({"status": name}))
        os.utime(folder / name, (time, time))

    assert sync_reports(tmp_path) == {7: {"status": "sync_7.json"}}
