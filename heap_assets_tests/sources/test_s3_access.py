"""Access to S3 on a real server: refusals, roles, expiry, settings, commits by several writers.

Here: what the caller sees of each. Not here: faults on the way (test_s3_faults.py), listing and reading as such.
"""

import logging
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from botocore.credentials import RefreshableCredentials
from deltalake import DeltaTable, write_deltalake

from heap_assets.aws.access import AwsAccess, aws_session, s3_client, storage_options
from heap_assets.errors import ObjectMissingError, SourceError
from heap_assets.sources.s3 import S3Source
from heap_assets_tests.fault_proxy import FaultProxy, Request
from heap_assets_tests.s3_server import DELIVERED, DELIVERED_KEY, S3Server

EXTERNAL_ID = "external-id-of-heap"


def _source(endpoint: str, bucket: str, **access: str) -> S3Source:
    return S3Source(s3_client(AwsAccess(endpoint_url=endpoint, **access)), bucket)


def _refusal(source: S3Source) -> str:
    """Return what listing and reading both say."""
    with pytest.raises(SourceError) as listed:
        list(source.objects("sync_1/"))
    with pytest.raises(SourceError) as read:
        source.read(DELIVERED_KEY)
    assert not isinstance(read.value, ObjectMissingError)
    assert str(listed.value).startswith(f"{source.uri}/sync_1/: ")
    assert str(read.value).startswith(f"{source.uri}/{DELIVERED_KEY}: ")
    return str(listed.value)


def _is_assumption(request: Request) -> bool:
    return b"Action=AssumeRole" in request.body


def test_a_wrong_secret_is_refused_and_no_secret_is_told(
    s3_server: S3Server, delivered_bucket: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    secret = "my-own-secret-key"  # noqa: S105
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    access = AwsAccess(endpoint_url=s3_server.endpoint, external_id=EXTERNAL_ID)
    session = aws_session(access)
    source = S3Source(s3_client(access, session), delivered_bucket)
    with pytest.raises(SourceError, match=r"AccessDenied.*credentials") as refused:
        list(source.objects(""))
    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    for text in (told, repr(access), repr(session), repr(source), repr(refused.value)):
        assert secret not in text
        assert EXTERNAL_ID not in text


def test_an_address_with_credentials_is_refused_without_repeating_them() -> None:
    with pytest.raises(SourceError, match="holds credentials") as refused:
        AwsAccess(endpoint_url="https://key:secret-of-mine@store.example")
    assert "secret-of-mine" not in str(refused.value)


def test_a_bucket_that_does_not_exist_is_named(s3_server: S3Server) -> None:
    said = _refusal(_source(s3_server.endpoint, "heap-no-such-bucket"))
    assert "s3://heap-no-such-bucket" in said
    assert "NoSuchBucket; check the bucket's name" in said


def test_a_bucket_of_somebody_else_is_refused_with_the_permissions_that_are_needed(
    s3_server: S3Server, delivered_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.stranger[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.stranger[1])
    said = _refusal(_source(s3_server.endpoint, delivered_bucket))
    assert "AccessDenied" in said
    assert "s3:ListBucket" in said


def test_no_credentials_at_all_are_told(
    s3_server: S3Server, delivered_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "Unable to locate credentials" in _refusal(_source(s3_server.endpoint, delivered_bucket))
    with pytest.raises(SourceError, match="no AWS credentials"):
        storage_options(AwsAccess(endpoint_url=s3_server.endpoint))


def test_temporary_keys_that_have_expired_are_refused(
    s3_server: S3Server, delivered_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3_server.session_keys(s3_server.create_role(), seconds=2).items():
        monkeypatch.setenv(name, value)
    source = _source(s3_server.endpoint, delivered_bucket)
    assert source.read(DELIVERED_KEY) == DELIVERED
    time.sleep(3)
    assert "expired credentials" in _refusal(source)


def test_a_role_is_assumed_once_with_its_external_id_and_renewed_before_it_expires(
    s3_server: S3Server, delivered_bucket: str, fault_proxy: FaultProxy
) -> None:
    access = AwsAccess(endpoint_url=fault_proxy.endpoint, role_arn=s3_server.create_role(), external_id=EXTERNAL_ID)
    session = aws_session(access)
    source = S3Source(s3_client(access, session), delivered_bucket)
    assert not fault_proxy.requests
    for _ in range(2):
        assert [found.key for found in source.objects("")] == [DELIVERED_KEY]
    (assumption,) = filter(_is_assumption, fault_proxy.requests)
    assert f"ExternalId={EXTERNAL_ID}".encode() in assumption.body
    first = storage_options(access, session)
    assert first["aws_session_token"]

    keys = session.get_credentials()
    assert isinstance(keys, RefreshableCredentials)
    keys._expiry_time = datetime.now(UTC) + timedelta(minutes=1)
    assert source.read(DELIVERED_KEY) == DELIVERED
    assert len([*filter(_is_assumption, fault_proxy.requests)]) == 2
    assert storage_options(access, session)["aws_session_token"] != first["aws_session_token"]


def test_a_role_that_is_gone_or_trusts_somebody_else_is_told(s3_server: S3Server, delivered_bucket: str) -> None:
    gone = s3_server.create_role()
    s3_server.delete_role(gone)
    for role, code in ((gone, "NoSuchEntity"), (s3_server.create_role(trusts="nobody"), "AccessDenied")):
        said = _refusal(_source(s3_server.endpoint, delivered_bucket, role_arn=role, external_id=EXTERNAL_ID))
        assert f"the role cannot be assumed: {code}; check HEAP_AWS_ROLE_ARN" in said
        assert EXTERNAL_ID not in said
    with pytest.raises(SourceError, match="cannot be assumed"):
        storage_options(AwsAccess(endpoint_url=s3_server.endpoint, role_arn=gone))


def test_a_role_that_is_deleted_while_its_session_runs_is_told(s3_server: S3Server, delivered_bucket: str) -> None:
    role = s3_server.create_role()
    source = _source(s3_server.endpoint, delivered_bucket, role_arn=role)
    assert source.read(DELIVERED_KEY) == DELIVERED
    s3_server.delete_role(role)
    assert "AccessDenied" in _refusal(source)


def test_an_endpoint_that_is_no_url_is_told(s3_server: S3Server) -> None:
    with pytest.raises(SourceError, match="Invalid endpoint: localhost"):
        s3_client(AwsAccess(endpoint_url="localhost"))


def test_boto3_s_own_settings_are_honoured(
    s3_server: S3Server, delivered_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert s3_client(AwsAccess()).meta.region_name == "us-east-1"
    assert "aws_endpoint_url" not in storage_options(AwsAccess())
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = s3_client(AwsAccess())
    assert client.meta.region_name == "eu-west-1"
    assert S3Source(client, delivered_bucket).read(DELIVERED_KEY) == DELIVERED
    assert s3_client(AwsAccess(region="eu-central-1")).meta.region_name == "eu-central-1"
    options = storage_options(AwsAccess(region="eu-central-1"))
    assert options["aws_endpoint_url"] == s3_server.endpoint
    assert options["aws_region"] == "eu-central-1"
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SourceError, match="nobody"):
        s3_client(AwsAccess())


def test_writers_with_these_storage_options_lose_no_commit_to_each_other(s3_server: S3Server, s3_bucket: str) -> None:
    options = storage_options(AwsAccess(endpoint_url=s3_server.endpoint, role_arn=s3_server.create_role()))
    table = f"s3://{s3_bucket}/lake/users"
    write_deltalake(table, pl.DataFrame({"writer": [0]}), storage_options=options)

    def append(writer: int) -> None:
        write_deltalake(table, pl.DataFrame({"writer": [writer]}), mode="append", storage_options=options)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(append, range(1, 13)))
    assert DeltaTable(table, storage_options=options).version() == 12
    read = pl.scan_delta(table, storage_options=options).collect()
    assert sorted(read["writer"]) == list(range(13))
