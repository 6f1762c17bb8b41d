"""The lake in a folder: new files, and documents that are replaced as a whole.

Here: FolderStorage, handing a storage over. Not here: a lake in S3 (pipeline/), Delta tables (test_landed_table.py).
"""

import os
import pickle
from pathlib import Path

import polars as pl
import pytest

from heap_assets.aws.access import AwsAccess
from heap_assets.errors import LakeError
from heap_assets.lake.s3_storage import S3Storage
from heap_assets.lake.storage import FolderStorage


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "my lake")


def test_the_folder_need_not_exist_and_is_not_made_by_looking(storage):
    assert storage.read("ledger.json") is None
    assert not Path(storage.uri).exists()


def test_an_address_is_an_absolute_path_that_needs_no_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    storage = FolderStorage(Path("lake"))
    assert storage.uri == str(tmp_path / "lake")
    assert storage.address("raw/users") == str(tmp_path / "lake" / "raw" / "users")
    assert storage.options() == {}


def test_a_new_file_is_kept_where_it_was_written(storage):
    file = storage.new_file("raw/users/1-a/x.parquet")
    file.write_bytes(b"rows")
    storage.keep(file, "raw/users/1-a/x.parquet")
    assert storage.local_copy("raw/users/1-a/x.parquet").read_bytes() == b"rows"
    assert storage.address("raw/users/1-a/x.parquet") == str(file)


def test_a_document_is_written_and_replaced_as_a_whole(storage):
    storage.write("state/ledger.json", b"first, and long")
    storage.write("state/ledger.json", b"second")
    assert storage.read("state/ledger.json") == b"second"
    assert [file.name for file in Path(storage.address("state")).iterdir()] == ["ledger.json"]


def test_a_reader_that_has_the_old_document_open_keeps_it(storage):
    storage.write("ledger.json", b"old")
    with Path(storage.address("ledger.json")).open("rb") as reader:
        storage.write("ledger.json", b"new")
        assert reader.read() == b"old"


def test_a_write_that_fails_leaves_the_old_document(storage, monkeypatch):
    storage.write("ledger.json", b"old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        storage.write("ledger.json", b"new")
    assert storage.read("ledger.json") == b"old"


def test_what_a_document_may_name_is_on_the_disk_before_it_and_so_are_all_names_on_the_way(storage, monkeypatch):
    flushed = []
    real, above = os.fsync, Path(storage.uri).parent

    def noted(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").readlink()
        flushed.extend([path.relative_to(above).as_posix()] if above in (path, *path.parents) else [])
        real(file)

    monkeypatch.setattr(os, "fsync", noted)
    file = storage.new_file("raw/users/1-a/x.parquet")
    file.write_bytes(b"rows")
    storage.keep(file, "raw/users/1-a/x.parquet")
    assert flushed == []
    storage.write("ledger.json", b"names it")
    lake = "my lake"
    assert flushed[:6] == [
        f"{lake}/raw/users/1-a/x.parquet",
        f"{lake}/raw/users/1-a",
        f"{lake}/raw/users",
        f"{lake}/raw",
        lake,
        ".",
    ]
    assert flushed[-2].startswith(f"{lake}/ledger.json.")
    assert flushed[-1] == lake
    flushed.clear()
    storage.write("ledger.json", b"names nothing new")
    assert len(flushed) == 2


def test_a_document_that_cannot_be_read_is_an_error_that_names_it(storage):
    Path(storage.uri, "ledger.json").mkdir(parents=True)
    with pytest.raises(LakeError, match=r"ledger\.json cannot be read: Is a directory"):
        storage.read("ledger.json")


@pytest.mark.parametrize("left", [None, b"", b"PAR1", b"PAR1 rows and no end", bytes(400)])
def test_a_parquet_file_that_is_gone_or_lacks_its_end_is_torn(storage, left):
    whole, torn = storage.new_file("whole.parquet"), storage.new_file("torn.parquet")
    pl.DataFrame({"a": [1]}).write_parquet(whole)
    if left is not None:
        torn.write_bytes(left)
    assert storage.torn(["whole.parquet", "torn.parquet"]) == {"torn.parquet"}


def test_another_process_opens_the_same_folder_and_what_it_keeps_is_on_the_disk_at_once(storage, monkeypatch):
    flushed = []
    monkeypatch.setattr("heap_assets.lake.disk.flush", flushed.append)
    there = pickle.loads(pickle.dumps(storage))  # noqa: S301 (our own)
    assert there.uri == storage.uri
    file = there.new_file("raw/users/1-a/x.parquet")
    file.write_bytes(b"rows")
    there.keep(file, "raw/users/1-a/x.parquet")
    assert flushed[0] == file
    assert storage.local_copy("raw/users/1-a/x.parquet").read_bytes() == b"rows"


def test_a_lake_in_s3_is_handed_over_by_its_settings_without_a_key(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA-of-this-process")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-this-process")
    access = AwsAccess(endpoint_url="http://127.0.0.1:9", region="eu-west-1")
    storage = S3Storage(access, "bucket", "lake", cache=tmp_path)
    assert storage.options()["aws_access_key_id"] == "AKIA-of-this-process"
    packed = pickle.dumps(storage)
    assert b"of-this-process" not in packed
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA-of-another")
    there = pickle.loads(packed)  # noqa: S301 (our own)
    assert (there.uri, there.options()["aws_access_key_id"]) == ("s3://bucket/lake", "AKIA-of-another")
