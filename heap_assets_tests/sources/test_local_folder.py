"""What only a local folder can do wrong, and how a manifest's paths become keys of any copy.

Here: paths. Not here: listing and reading (test_source.py).
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heap_assets.errors import ManifestError, SourceError
from heap_assets.sources.source import LocalFolder, key_below_root


def test_a_path_without_a_dump_folder_is_refused_by_name() -> None:
    for listed in ("s3://bucket/users/a.avro", "s3://sync_1/users/a.avro", "s3://b/sync_x/a", "s3://b/sync_1", ""):
        with pytest.raises(ManifestError, match="sync_<dump_id>") as refused:
            key_below_root(listed)
        assert repr(listed) in str(refused.value)


def test_the_dump_s_own_folder_is_preferred_to_the_first() -> None:
    assert key_below_root("s3://b/sync_2024/sync_7/users/a") == "sync_2024/sync_7/users/a"
    assert key_below_root("s3://b/sync_2024/sync_7/users/a", 7) == "sync_7/users/a"
    assert key_below_root("s3://b/sync_6/users/a", 7) == "sync_6/users/a"
    assert key_below_root("s3a://b/sync_7/sync_7/sync_7/a", 7) == "sync_7/sync_7/sync_7/a"
    assert key_below_root("/mnt/heap/sync_7/users/a", 7) == "sync_7/users/a"
    assert key_below_root("sync_7/users/http://x", 7) == "sync_7/users/http://x"


def test_a_key_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path)
    for key in ("sync_1/../../etc/passwd", "../x", "/etc/passwd", "sync_1/a\0b"):
        with pytest.raises(ManifestError, match="leads out of the export"):
            folder.read(key)
        with pytest.raises(ManifestError), folder.local_copy(key):
            pass
    with pytest.raises(ManifestError, match="leads out of the export"):
        folder.root_of("s3://bucket/sync_1/../../../etc/passwd")


def test_what_a_writer_has_not_finished_is_not_listed(tmp_path: Path) -> None:
    for name in ("sync_1.json", ".sync_2.json.Xa81", "sync_3.json.tmp", ".partial/sync_4.json"):
        (tmp_path / "manifests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "manifests" / name).touch()
    assert [found.key for found in LocalFolder(tmp_path).objects("manifests/")] == ["manifests/sync_1.json"]


def _unlistable(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "nothing here"
    (tmp_path / "file").touch()
    yield tmp_path / "file"
    (tmp_path / "export" / "manifests").mkdir(parents=True)
    (tmp_path / "export" / "manifests" / "sync_1.json").symlink_to(tmp_path / "unmounted" / "sync_1.json")
    yield tmp_path / "export"
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "manifests").symlink_to(tmp_path / "unmounted")
    yield tmp_path / "linked"
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    yield tmp_path / "circle"


def test_a_folder_that_cannot_be_listed_is_never_an_empty_one(tmp_path: Path) -> None:
    for root in _unlistable(tmp_path):
        with pytest.raises(SourceError, match=str(root)):
            list(LocalFolder(root).objects("manifests/"))
