"""Faults between us and S3, made by a proxy in front of a real server: broken transfers, server errors, no server.

Here: what is outlasted, and what the caller is told. Not here: access (test_s3_access.py).
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from heap_assets.aws.access import AwsAccess, s3_client
from heap_assets.errors import SourceError
from heap_assets.sources.s3 import S3Source
from heap_assets_tests.fault_proxy import Fault, FaultProxy, Request, free_port
from heap_assets_tests.s3_server import DELIVERED, DELIVERED_KEY, S3Server


def _source(endpoint: str, bucket: str) -> S3Source:
    return S3Source(s3_client(AwsAccess(endpoint_url=endpoint)), bucket)


def _refusal(source: S3Source) -> str:
    with pytest.raises(SourceError) as refused:
        list(source.objects(""))
    return str(refused.value)


def _is_data(request: Request) -> bool:
    return request.path.endswith(".avro")


def _always(request: Request) -> bool:
    return True


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("ExpiredToken", "renew them, or set HEAP_AWS_ROLE_ARN"),
        ("SignatureDoesNotMatch", "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("RequestTimeTooSkewed", "set the clock"),
        ("SomethingNew", "documentation"),
    ],
)
def test_what_aws_says_where_ceph_says_access_denied_leads_to_the_next_step(
    delivered_bucket: str, fault_proxy: FaultProxy, code: str, advice: str
) -> None:
    fault_proxy.faults = [Fault(_always, status=403, code=code)]
    said = _refusal(_source(fault_proxy.endpoint, delivered_bucket))
    assert f"{code} (as told)" in said
    assert advice in said


def test_a_transfer_that_is_cut_short_is_repeated(delivered_bucket: str, fault_proxy: FaultProxy) -> None:
    source = _source(fault_proxy.endpoint, delivered_bucket)
    for keep in (0, 1_500_000, len(DELIVERED) - 1):
        fault_proxy.faults = [Fault(_is_data, times=1, keep=keep)]
        assert source.read(DELIVERED_KEY) == DELIVERED
        fault_proxy.faults = [Fault(_is_data, times=1, keep=keep)]
        with source.local_copy(DELIVERED_KEY) as path:
            assert path.read_bytes() == DELIVERED
        assert not path.exists()
    assert len([*filter(_is_data, fault_proxy.requests)]) == 12


def test_a_transfer_that_is_always_cut_short_fails_and_leaves_no_file(
    delivered_bucket: str, fault_proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fault_proxy.faults = [Fault(_is_data, keep=1000)]
    source = _source(fault_proxy.endpoint, delivered_bucket)
    with (
        pytest.raises(SourceError, match=f"{DELIVERED_KEY}: the transfer broke off 5 times"),
        source.local_copy(DELIVERED_KEY),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_take_the_copy_is_told(
    s3_server: S3Server, delivered_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc")
    with (
        pytest.raises(SourceError, match="set TMPDIR"),
        _source(s3_server.endpoint, delivered_bucket).local_copy(DELIVERED_KEY),
    ):
        pass


def test_a_server_error_that_goes_away_is_outlasted(delivered_bucket: str, fault_proxy: FaultProxy) -> None:
    source = _source(fault_proxy.endpoint, delivered_bucket)
    fault_proxy.faults = [Fault(_always, times=2, status=503)]
    assert [found.key for found in source.objects("")] == [DELIVERED_KEY]
    fault_proxy.faults = [Fault(_always, times=2, status=500, code="InternalError")]
    assert source.read(DELIVERED_KEY) == DELIVERED
    assert len(fault_proxy.requests) == 6


@pytest.mark.slow
def test_a_server_error_that_stays_is_told(delivered_bucket: str, fault_proxy: FaultProxy) -> None:
    fault_proxy.faults = [Fault(_always, status=503)]
    assert "SlowDown (as told); run again later" in _refusal(_source(fault_proxy.endpoint, delivered_bucket))
    assert len(fault_proxy.requests) == 5


def test_a_listing_that_fails_on_its_second_page_raises(
    s3_server: S3Server, delivered_bucket: str, fault_proxy: FaultProxy
) -> None:
    s3_server.client().put_object(Bucket=delivered_bucket, Key="sync_1/users/b.avro")
    fault_proxy.faults = [Fault(lambda request: "continuation-token" in request.path, status=403, code="ExpiredToken")]
    client = s3_client(AwsAccess(endpoint_url=fault_proxy.endpoint))
    listing = S3Source(client, delivered_bucket, page_size=1).objects("")
    assert next(listing).key == DELIVERED_KEY
    with pytest.raises(SourceError, match="ExpiredToken"):
        next(listing)


def test_a_server_that_is_not_there_is_told(s3_server: S3Server) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    said = _refusal(_source(endpoint, "heap-bucket"))
    assert "Could not connect" in said
    assert f"{endpoint}/heap-bucket" in said
    assert "check AWS_ENDPOINT_URL" in said


@pytest.mark.parametrize("page", [b"<html><body>Welcome</body></html>", b"<!doctype html><p>Welcome", b""])
def test_a_web_page_in_place_of_a_listing_is_an_error_and_not_an_empty_bucket(page: bytes, monkeypatch) -> None:
    class Welcome(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Welcome) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        access = AwsAccess(endpoint_url=f"http://127.0.0.1:{server.server_port}")
        try:
            with pytest.raises(SourceError, match=r"^s3://bucket"):
                list(S3Source(s3_client(access), "bucket").objects("manifests/"))
        finally:
            server.shutdown()
