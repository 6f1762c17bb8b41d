"""Arrivals: of several manifests of one dump the one modified last counts, and equal content keeps its first time.

Here: manifest files in a folder. Not here: what a manifest may say (test_manifest.py), landing (pipeline/).
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from heap_assets.sources.heap.arrivals import ManifestContent, counting_contents, manifest_content, manifest_files
from heap_assets.sources.heap.manifest import Dump
from heap_assets.sources.source import LocalFolder

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def hours(count: int) -> datetime:
    return NOON + timedelta(hours=count)


def deliver(root: Path, name: str, content: object, modified: datetime) -> None:
    """Write a manifest file; what is not text is written as JSON."""
    path = root / "manifests" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    micros = round(modified.timestamp() * 1_000_000)
    os.utime(path, ns=(micros * 1000, micros * 1000))


def says(dump_id: int, *tables: str) -> dict:
    listed = [{"name": table, "files": [], "columns": [], "incremental": True} for table in tables]
    return {"dump_id": dump_id, "tables": listed}


def contents(root: Path) -> list[ManifestContent]:
    source = LocalFolder(root)
    return [manifest_content(source, file) for file in manifest_files(source)]


def counting(root: Path, known: Mapping[int, Dump] | None = None) -> dict[int | None, ManifestContent]:
    return counting_contents(contents(root), known or {})


def landed(root: Path, dump_id: int) -> dict[int, Dump]:
    """Return what counts now as if it had landed."""
    dump = counting(root)[dump_id].dump
    assert dump
    return {dump_id: dump}


def test_manifests_are_any_json_files_oldest_first(tmp_path):
    deliver(tmp_path, "b.json", says(2), hours(0))
    deliver(tmp_path, "a.json", says(1), hours(1))
    deliver(tmp_path, "readme.txt", "no manifest", hours(2))
    assert [file.key for file in manifest_files(LocalFolder(tmp_path))] == ["manifests/b.json", "manifests/a.json"]


def test_the_dump_id_is_what_the_content_says_not_the_name(tmp_path):
    deliver(tmp_path, "sync_99.json", says(7, "users"), NOON)
    (content,) = counting(tmp_path).values()
    assert content.dump_id == 7
    assert content.dump
    assert [delivery.table for delivery in content.dump.deliveries] == ["users"]


def test_of_two_manifests_of_one_dump_the_one_modified_last_counts_whatever_their_names(tmp_path):
    deliver(tmp_path, "z.json", says(7, "users"), hours(1))
    deliver(tmp_path, "a.json", says(7, "signup"), hours(2))
    content = counting(tmp_path)[7]
    assert (content.key, content.modified) == ("manifests/a.json", hours(2))


def test_of_two_manifests_of_one_moment_the_greater_name_counts(tmp_path):
    deliver(tmp_path, "a.json", says(7, "users"), NOON)
    deliver(tmp_path, "b.json", says(7, "signup"), NOON)
    assert counting(tmp_path)[7].key == "manifests/b.json"


def test_a_second_manifest_of_equal_content_keeps_the_first_time(tmp_path):
    deliver(tmp_path, "a.json", says(7, "users"), hours(0))
    deliver(tmp_path, "b.json", json.dumps(says(7, "users"), indent=2), hours(5))
    content = counting(tmp_path)[7]
    assert content.modified == hours(0)
    assert content.dump
    assert content.dump.modified == hours(0)


def test_a_content_that_comes_back_after_another_is_new(tmp_path):
    deliver(tmp_path, "a.json", says(7, "users"), hours(0))
    deliver(tmp_path, "b.json", says(7, "signup"), hours(1))
    deliver(tmp_path, "c.json", says(7, "users"), hours(2))
    assert counting(tmp_path)[7].modified == hours(2)


def test_a_landed_content_that_comes_again_in_the_same_file_keeps_its_time(tmp_path):
    deliver(tmp_path, "sync_7.json", says(7, "users"), hours(0))
    known = landed(tmp_path, 7)
    deliver(tmp_path, "sync_7.json", says(7, "users"), hours(3))
    dump = counting(tmp_path, known)[7].dump
    assert dump == known[7]


def test_a_landed_dump_whose_content_changed_is_a_redelivery(tmp_path):
    deliver(tmp_path, "sync_7.json", says(7, "users"), hours(0))
    known = landed(tmp_path, 7)
    deliver(tmp_path, "sync_7.json", says(7, "signup"), hours(3))
    dump = counting(tmp_path, known)[7].dump
    assert dump
    assert dump.modified == hours(3)
    assert dump.delivery_id != known[7].delivery_id


def test_a_landed_content_that_comes_back_after_another_is_delivered_anew(tmp_path):
    deliver(tmp_path, "a.json", says(7, "users"), hours(0))
    known = landed(tmp_path, 7)
    deliver(tmp_path, "b.json", says(7, "signup"), hours(1))
    deliver(tmp_path, "a.json", says(7, "users"), hours(2))
    dump = counting(tmp_path, known)[7].dump
    assert dump
    assert dump.modified == hours(2)


def test_a_dump_whose_manifest_is_gone_is_not_named(tmp_path):
    deliver(tmp_path, "a.json", says(7, "users"), NOON)
    known = landed(tmp_path, 7)
    (tmp_path / "manifests" / "a.json").unlink()
    assert counting(tmp_path, known) == {}


def test_a_manifest_that_cannot_be_read_belongs_to_the_dump_of_its_name_and_has_an_error(tmp_path):
    deliver(tmp_path, "sync_7.json", "<Error>SlowDown</Error>", NOON)
    content = counting(tmp_path)[7]
    assert content.dump is None
    assert "manifests/sync_7.json: not JSON" in str(content.error)


def test_a_manifest_that_cannot_be_read_and_has_no_number_belongs_to_no_dump(tmp_path):
    deliver(tmp_path, "today.json", "", NOON)
    assert [*counting(tmp_path)] == [None]


def test_a_broken_manifest_that_is_older_than_a_whole_one_does_not_count(tmp_path):
    deliver(tmp_path, "sync_7.json", "{", hours(0))
    deliver(tmp_path, "sync_7_again.json", says(7, "users"), hours(1))
    assert counting(tmp_path)[7].error is None


def test_a_broken_manifest_that_is_newer_than_a_whole_one_counts(tmp_path):
    deliver(tmp_path, "first.json", says(7, "users"), hours(0))
    deliver(tmp_path, "sync_7.json", "{", hours(1))
    assert counting(tmp_path)[7].error is not None


def test_dumps_are_told_apart(tmp_path):
    deliver(tmp_path, "a.json", says(7, "users"), NOON)
    deliver(tmp_path, "b.json", says(1007, "users"), NOON)
    assert {*counting(tmp_path)} == {7, 1007}
