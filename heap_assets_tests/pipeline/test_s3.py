"""The whole sync against a real S3 server: the export there, the lake in a folder or there too.

Here: what is published, faults on the way, a second machine. Not here: access and refusals (export/test_s3_*.py).
The oracle reads the folder that was uploaded, after its files were given the times that S3 gave the objects.
"""

import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from heap_assets.errors import HeapAssetsError
from heap_assets_tests.exports.delivery import deliveries
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.strategies import exports
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.fault_proxy import Fault, FaultProxy, Request
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, scratch, some, sync_of
from heap_assets_tests.s3_server import S3Server

PREFIX = "some team/heap=1"
EVENT = "event_id:long user_id:long time:long"
FIRST = dump(
    1,
    {
        "users": data_file("user_id:long plan", (1, "gold"), (2, None)),
        "signup": data_file(f"{EVENT} plan", (1, 1, 1_717_200_000_000, "gold"), (2, 2, 1_717_200_000_001, None)),
    },
)
SECOND = dump(
    2,
    {
        "user_migrations": data_file("from_user_id:long to_user_id:long", (1, 2)),
        "signup": data_file(EVENT, (2, 2, 1_717_200_000_009), (3, 1, 1_717_200_000_010)),
    },
)
THIRD = dump(3, {"users": full("users", data_file("user_id:long plan", (2, "new"), (3, "old")))})


@dataclass
class Bucket:
    """A bucket that is kept as a folder is."""

    client: Any
    name: str
    root: Path
    there: dict[Path, tuple[bytes, int]] = field(default_factory=dict)
    sent: dict[Path, tuple[bytes, int]] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return f"s3://{self.name}/{PREFIX}"

    def upload(self) -> None:
        """Put what is new or changed in the folder, oldest first, and give the folder's files the times of S3.

        A file that is delivered again as it was sent is not put again: S3 would give it a new time.
        """
        files = sorted((path for path in self.root.rglob("*") if path.is_file()), key=_modified)
        for path in {*self.there} - {*files}:
            self.client.delete_object(Bucket=self.name, Key=self._key(path))
            del self.there[path]
        for path in files:
            content = (path.read_bytes(), _modified(path))
            if content not in {self.there.get(path), self.sent.get(path)}:
                self.client.put_object(Bucket=self.name, Key=self._key(path), Body=content[0])
                self.sent[path] = content
        for found in self.client.list_objects_v2(Bucket=self.name, Prefix=PREFIX).get("Contents", ()):
            path = self.root / found["Key"].removeprefix(f"{PREFIX}/")
            _touch(path, found["LastModified"])
            self.there[path] = (path.read_bytes(), _modified(path))

    def _key(self, path: Path) -> str:
        return f"{PREFIX}/{path.relative_to(self.root).as_posix()}"


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns


def _touch(path: Path, moment: datetime) -> None:
    nanoseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    os.utime(path, ns=(nanoseconds, nanoseconds))


@pytest.fixture
def bucket(s3_server: S3Server, s3_bucket: str, tmp_path: Path) -> Bucket:
    return Bucket(s3_server.client(), s3_bucket, tmp_path / "export")


def synced(bucket: Bucket, home: Path, endpoint: str, *, lake_in_s3: bool = False) -> Any:
    """Return a sync of the bucket."""
    lake = {"HEAP_LAKE_URI": f"s3://{bucket.name}/lake of ours"} if lake_in_s3 else {}
    return sync_of(bucket.uri, home, AWS_ENDPOINT_URL=endpoint, **lake)


def assert_as_told(bucket: Bucket, sync: Any) -> None:
    assert differences(published_tables(bucket.root), published_by(sync)) == []


@some(4, HealthCheck.function_scoped_fixture)
@given(exports(), st.booleans(), st.integers(1, 8))
def test_exports_in_s3_end_in_the_tables_of_the_oracle_run_by_run(s3_server, export, lake_in_s3, cut):
    client = s3_server.client()
    steps = deliveries(replace(export, touches=()))
    with scratch() as folder:
        bucket = Bucket(client, f"heap-{folder.name.lower().replace('_', '-')}x", folder / "export")
        client.create_bucket(Bucket=bucket.name)
        bucket.root.mkdir()
        for part in (steps[:cut], steps[cut:]):
            for step in part:
                step.apply(bucket.root)
                bucket.upload()
            if not [*bucket.root.glob("manifests/*.json")]:
                continue  # nothing has arrived
            landing = run(synced(bucket, folder / "home", s3_server.endpoint, lake_in_s3=lake_in_s3))

        assert landing.failures == ()
        assert_as_told(bucket, synced(bucket, folder / "home", s3_server.endpoint, lake_in_s3=lake_in_s3))


@pytest.mark.parametrize("lake_in_s3", [False, True])
def test_a_truncated_object_is_named_and_its_dump_mended(bucket, s3_server, tmp_path, lake_in_s3):
    sync = synced(bucket, tmp_path / "home", s3_server.endpoint, lake_in_s3=lake_in_s3)
    write_dump(bucket.root, FIRST)
    bucket.upload()
    run(sync)
    before = published_by(sync)
    write_dump(bucket.root, SECOND)
    file = bucket.root / "sync_2" / "signup" / "0.avro"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    bucket.upload()

    (failure,) = run(sync).failures

    assert failure.dump_id == 2
    assert "sync_2/signup/0.avro" in failure.reason
    assert differences(before, published_by(sync)) == []
    file.write_bytes(whole)
    bucket.upload()
    assert run(sync).failures == ()
    assert_as_told(bucket, sync)


def test_transfers_that_break_off_once_are_repeated_within_the_run(bucket, fault_proxy: FaultProxy, tmp_path):
    write_dump(bucket.root, FIRST)
    bucket.upload()
    fault_proxy.faults = [
        Fault(lambda request, key=key: key in request.path and request.method == "GET", times=1, keep=9)
        for key in ("manifests/sync_1.json", "users/0.avro", "signup/0.avro")
    ]
    sync = synced(bucket, tmp_path / "home", fault_proxy.endpoint)

    assert run(sync).failures == ()

    assert_as_told(bucket, sync)


def test_another_machine_publishes_the_same_from_the_lake_in_s3_and_lands_nothing(bucket, s3_server, tmp_path):
    for part in (FIRST, SECOND):
        write_dump(bucket.root, part)
    bucket.upload()
    run(synced(bucket, tmp_path / "home", s3_server.endpoint, lake_in_s3=True))
    other = synced(bucket, tmp_path / "other", s3_server.endpoint, lake_in_s3=True)

    landing = run(other)

    assert (landing.taken, dict(landing.rows)) == ((), {})
    assert_as_told(bucket, other)


def test_what_is_lost_from_a_lake_in_s3_is_mended_or_named_with_the_command_that_does(bucket, s3_server, tmp_path):
    write_dump(bucket.root, FIRST)
    bucket.upload()
    run(synced(bucket, tmp_path / "home", s3_server.endpoint, lake_in_s3=True))
    write_dump(bucket.root, SECOND)
    bucket.upload()
    run(synced(bucket, tmp_path / "home", s3_server.endpoint, lake_in_s3=True))
    pages = bucket.client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix="lake of ours/")
    keys = [found["Key"] for page in pages for found in page["Contents"]]
    (commit,) = (key for key in keys if key.endswith("signup/_delta_log/00000000000000000001.json"))
    (data,) = (key for key in keys if "raw/users/" in key and key.endswith(".parquet"))
    for key in (commit, data, *(key for key in keys if "/resolved/" in key)):
        bucket.client.delete_object(Bucket=bucket.name, Key=key)
    other = synced(bucket, tmp_path / "other", s3_server.endpoint, lake_in_s3=True)

    with pytest.raises(HeapAssetsError) as error:
        run(other)

    assert f"s3://{bucket.name}/{data}" in str(error.value)
    assert "heap-assets sync --reland 1" in str(error.value)
    other = synced(bucket, tmp_path / "other", s3_server.endpoint, lake_in_s3=True)
    other.land(reland=[1])
    run(other)
    assert_as_told(bucket, other)


def test_a_copy_of_the_lake_that_a_power_cut_tore_is_fetched_again(bucket, s3_server, tmp_path):
    write_dump(bucket.root, FIRST)
    bucket.upload()
    run(synced(bucket, tmp_path / "home", s3_server.endpoint, lake_in_s3=True))
    copies = [*(tmp_path / "home" / "lake-cache").rglob("*.parquet")]
    for copy in copies:
        copy.write_bytes(copy.read_bytes()[:-9])
    again = synced(bucket, tmp_path / "home", s3_server.endpoint, lake_in_s3=True)
    run(again)
    assert copies
    assert_as_told(bucket, again)


def test_lakes_below_prefixes_with_letters_of_urls_are_lakes_of_their_own(bucket, s3_server, tmp_path):
    """``#``, ``?`` and ``%`` end or change an address where it is read as a URL: two lakes would be one."""
    other = replace(bucket, root=tmp_path / "other export", there={}, sent={})
    write_dump(bucket.root, FIRST)
    write_dump(other.root, dump(1, {"signup": data_file(EVENT, (9, 9, 1_717_200_000_000))}))
    lakes = [f"s3://{bucket.name}/lakes/{name}" for name in ("a#1", "a#2", "a?1", "a%1")]
    for lake, export in zip(lakes, [bucket.root, other.root] * 4, strict=False):
        sync = sync_of(export, tmp_path / lake[-3:], AWS_ENDPOINT_URL=s3_server.endpoint, HEAP_LAKE_URI=lake)
        run(sync)
        run(sync)  # the second run reads what the first one wrote
        assert differences(published_tables(export), published_by(sync)) == []
    pages = s3_server.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix="lakes/")
    keys = [found["Key"] for page in pages for found in page["Contents"]]
    roots = {key.split("/")[1] for key in keys if "_delta_log" in key}
    assert roots == {lake.rpartition("/")[2] for lake in lakes}


@pytest.mark.slow
def test_a_write_to_the_lake_that_is_refused_at_any_place_is_mended_by_the_next_run(
    bucket, fault_proxy: FaultProxy, tmp_path
):
    sync = synced(bucket, tmp_path / "home", fault_proxy.endpoint, lake_in_s3=True)
    broken_off = 0
    for place in range(9):
        later = replace(SECOND if place % 3 else THIRD, dump_id=place + 2)
        write_dump(bucket.root, later if place else FIRST)
        bucket.upload()
        passed = Fault(_writes_to_the_lake, times=place % 12)
        refused = Fault(_writes_to_the_lake, times=1, status=403, code="AccessDenied")
        fault_proxy.faults = [passed, refused]
        broken_off += broke_off(sync)
        fault_proxy.faults = []
        if place % 3 == 0:
            assert run(sync).failures == ()
            assert_as_told(bucket, sync)

    assert broken_off > 5
    run(sync)
    assert_as_told(bucket, sync)


def broke_off(sync: Any) -> bool:
    """Run a sync, and tell whether it was refused: as a dump that fails, or as an error that ends the run."""
    try:
        failures = run(sync).failures
    except HeapAssetsError as error:
        failures = (error,)
    assert all("/lake" in str(failure) for failure in failures)
    return bool(failures)


def _writes_to_the_lake(request: Request) -> bool:
    return request.method in {"PUT", "POST"} and "/lake" in request.path
