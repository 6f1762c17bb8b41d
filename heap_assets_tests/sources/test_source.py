"""Listing and reading an export, the same suite over a local folder and a real S3 server.

Here: what both kinds promise. Not here: access and faults of S3 (test_s3_*.py), what only a folder can do wrong.
"""

import http.client
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from heap_assets.aws.access import AwsAccess, s3_client
from heap_assets.errors import ObjectMissingError, SourceError
from heap_assets.sources.opening import open_source
from heap_assets.sources.s3 import S3Source
from heap_assets.sources.source import LocalFolder, Source
from heap_assets_tests.s3_server import S3Server

ODD_KEYS = [
    "sync_1/users/#1?x=1&y=2.avro",
    "sync_1/users/%41.avro",
    "sync_1/users/'single' \"double\".avro",
    "sync_1/users/[ab]*.avro",
    "sync_1/users/a b+c.avro",
    "sync_1/users/back\\slash.avro",
    "sync_1/users/größe-東京-🙂.avro",
]


@dataclass(frozen=True)
class Export:
    source: Source
    put: Callable[[str, bytes], None]
    """Write an object; a key that ends in a slash is a folder marker."""


@pytest.fixture(params=["folder", "s3"])
def export(request: pytest.FixtureRequest) -> Export:
    if request.param == "folder":
        return _folder(request.getfixturevalue("tmp_path") / "export")
    return _bucket(request.getfixturevalue("s3_server"), request.getfixturevalue("s3_bucket"))


def _folder(root: Path) -> Export:
    root.mkdir()

    def put(key: str, content: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        if key.endswith("/"):
            (root / key).mkdir(parents=True)
        else:
            (root / key).write_bytes(content)

    return Export(LocalFolder(root), put)


def _bucket(server: S3Server, bucket: str) -> Export:
    client = server.client()
    client.put_object(Bucket=bucket, Key="copies/other/manifests/sync_1.json")
    below = "copies/of heap/"

    def put(key: str, content: bytes) -> None:
        client.put_object(Bucket=bucket, Key=below + key, Body=content)

    access = AwsAccess(endpoint_url=server.endpoint)
    return Export(S3Source(s3_client(access), bucket, below, page_size=3), put)


def _keys(source: Source, prefix: str) -> list[str]:
    return [found.key for found in source.objects(prefix)]


def test_a_listing_shows_key_size_and_time_of_every_object(export: Export) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    export.put("manifests/sync_7.json", b"12345")
    (found,) = export.source.objects("manifests/")
    assert (found.key, found.size) == ("manifests/sync_7.json", 5)
    assert found.modified.tzinfo is UTC
    assert before < found.modified < datetime.now(UTC) + timedelta(seconds=2)


def test_a_listing_is_in_the_order_of_keys_and_crosses_pages(export: Export) -> None:
    keys = sorted([f"sync_1/users/{number}.avro" for number in range(8)] + ["sync_1-b", "sync_1/users-a", "sync_10/x"])
    for key in reversed(keys):
        export.put(key, b"")
    assert _keys(export.source, "") == keys
    assert _keys(export.source, "sync_1/") == [key for key in keys if key.startswith("sync_1/")]
    assert _keys(export.source, "sync_1/users/") == [f"sync_1/users/{number}.avro" for number in range(8)]


def test_a_prefix_may_end_within_a_name(export: Export) -> None:
    for key in ("sync_1/users/a", "sync_12/users/a", "sync_2/users/a"):
        export.put(key, b"")
    assert _keys(export.source, "sync_1") == ["sync_1/users/a", "sync_12/users/a"]
    assert _keys(export.source, "sync_1/us") == ["sync_1/users/a"]


def test_a_prefix_with_nothing_below_it_is_empty(export: Export) -> None:
    export.put("sync_1/users/a", b"")
    assert _keys(export.source, "manifests/") == []
    assert _keys(export.source, "sync_1/users/a/") == []


def test_folder_markers_are_left_out(export: Export) -> None:
    export.put("manifests/", b"")
    export.put("sync_1/users/", b"")
    export.put("manifests/sync_1.json", b"{}")
    assert _keys(export.source, "manifests/") == ["manifests/sync_1.json"]
    assert _keys(export.source, "") == ["manifests/sync_1.json"]


def test_odd_keys_are_taken_literally(export: Export) -> None:
    for key in ODD_KEYS:
        export.put(key, key.encode())
    assert _keys(export.source, "sync_1/users/") == ODD_KEYS
    for key in ODD_KEYS:
        assert export.source.read(key) == key.encode()
        with export.source.local_copy(key) as path:
            assert path.read_bytes() == key.encode()
            assert path.suffix == ".avro"
        assert export.source.root_of(f"s3://heap-rs3-acme/{key}") == key


def test_the_signature_changes_with_the_content_only(export: Export) -> None:
    export.put("manifests/sync_1.json", b"one")
    (first,) = export.source.objects("manifests/")
    (again,) = export.source.objects("manifests/")
    export.put("manifests/sync_1.json", b"two")
    (changed,) = export.source.objects("manifests/")
    assert first.signature == again.signature != changed.signature


def test_a_missing_object_is_named_in_full(export: Export) -> None:
    export.put("sync_1/users/a.avro", b"")
    for key in ("sync_1/users/b.avro", "sync_2/users/a.avro", "sync_1/users/a.avro/x"):
        with pytest.raises(ObjectMissingError) as read:
            export.source.read(key)
        with pytest.raises(ObjectMissingError) as copied, export.source.local_copy(key):
            pass
        assert str(read.value) == str(copied.value) == f"{export.source.uri}/{key} does not exist"


def test_a_large_object_is_copied_completely(export: Export) -> None:
    content = bytes(range(256)) * (5 * 4096 + 1)
    export.put("sync_1/users/a.avro", content)
    with export.source.local_copy("sync_1/users/a.avro") as path:
        assert path.read_bytes() == content


def test_a_path_from_another_bucket_is_found_below_this_root(export: Export) -> None:
    export.put("sync_7/sync_12/part-0.avro", b"rows")
    for listed in ("s3://acme/sync_7/sync_12/part-0.avro", "s3://acme/sync_1/copies/sync_7/sync_12/part-0.avro"):
        assert export.source.read(export.source.root_of(listed, 7)) == b"rows"


@pytest.mark.slow
def test_more_than_ten_thousand_files_of_one_table_are_all_listed_from_a_folder(tmp_path: Path) -> None:
    table = tmp_path / "sync_1" / "pageviews"
    table.mkdir(parents=True)
    for number in range(10_500):
        (table / f"part-{number:05}.avro").touch()
    assert _keys(LocalFolder(tmp_path), "sync_1/") == [f"sync_1/pageviews/part-{n:05}.avro" for n in range(10_500)]


@pytest.mark.slow
def test_more_than_ten_thousand_files_of_one_table_are_all_listed_from_s3(s3_server: S3Server, s3_bucket: str) -> None:
    # Signing costs the client more than writing costs the server: a bucket that anyone may write to is filled faster.
    s3_server.client().put_bucket_acl(Bucket=s3_bucket, ACL="public-read-write")

    def write(numbers: range) -> None:
        connection = http.client.HTTPConnection(*s3_server.address)
        for number in numbers:
            connection.request("PUT", f"/{s3_bucket}/sync_1/pageviews/part-{number:05}.avro", body=b"")
            assert connection.getresponse().read() == b""
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, [range(first, 10_500, 8) for first in range(8)]))
    source = S3Source(s3_client(AwsAccess(endpoint_url=s3_server.endpoint)), s3_bucket)
    assert _keys(source, "sync_1/") == [f"sync_1/pageviews/part-{n:05}.avro" for n in range(10_500)]


def test_the_address_decides_the_kind_of_source(tmp_path: Path, s3_server: S3Server, s3_bucket: str) -> None:
    folder = tmp_path / "my export"
    folder.mkdir()
    s3_server.client().put_object(Bucket=s3_bucket, Key="a/b%20c/manifests/sync_1.json", Body=b"s3")
    (folder / "manifests").mkdir()
    (folder / "manifests" / "sync_1.json").write_bytes(b"folder")
    access = AwsAccess(endpoint_url=s3_server.endpoint)
    for address in (str(folder), f"{folder}/", f"file://{tmp_path}/my%20export"):
        assert open_source(address).uri == str(folder)
        assert open_source(address).read("manifests/sync_1.json") == b"folder"
    for address in (f"s3://{s3_bucket}/a/b%20c", f"s3a://{s3_bucket}/a/b%20c/"):
        assert open_source(address, access=access).uri == f"s3://{s3_bucket}/a/b%20c"
        assert open_source(address, client=s3_client(access)).read("manifests/sync_1.json") == b"s3"
    for address in ("gs://bucket/export", "file://export", "s3://", "s3://key:secret@bucket/export"):
        with pytest.raises(SourceError) as refused:
            open_source(address)
        assert "secret@" not in str(refused.value)
