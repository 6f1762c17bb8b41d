"""Fixtures for a real S3 server: Ceph RGW on loopback, started once a session, with users, roles and a fault proxy.

Here: starting, stopping, environment. Not here: installing it (.ci/ceph), faults (fault_proxy.py).
"""

import functools
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from heap_assets_tests.fault_proxy import FaultProxy, free_pair_of_ports, running_proxy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_REPOSITORY = Path(__file__).parents[1]
_CEPH = _REPOSITORY / ".ci" / "ceph"
_UNPACKED = _REPOSITORY / ".ceph" / "root" / "usr" / "bin" / "radosgw"


DELIVERED_KEY = "sync_1/users/a.avro"
DELIVERED = b"0123456789" * 300_000


@dataclass(frozen=True, slots=True)
class S3Server:
    """The server's address and its user; ``stranger`` is a second user, who may nothing."""

    endpoint: str
    key: str = "testkey"
    secret: str = "testsecret"  # noqa: S105
    stranger: tuple[str, str] = ("strangerkey", "strangersecret")

    @property
    def address(self) -> tuple[str, int]:
        """Return host and port."""
        parts = urlsplit(self.endpoint)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    def client(self, service: str = "s3") -> Any:
        """Return a client of the server's user, past the code under test."""
        return _client(self, service)

    def create_role(self, *, trusts: str = "test") -> str:
        """Create a role that a user may assume and that may do everything in S3, and return its ARN."""
        name = f"role-{uuid.uuid4().hex}"
        trust = {"Principal": {"AWS": [f"arn:aws:iam:::user/{trusts}"]}, "Action": ["sts:AssumeRole"]}
        may = {"Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}
        iam = self.client("iam")
        created = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
        iam.put_role_policy(RoleName=name, PolicyName="s3", PolicyDocument=_policy(may))
        return str(created["Role"]["Arn"])

    def delete_role(self, arn: str) -> None:
        """Delete a role, and with it what it may."""
        name = arn.rpartition("/")[2]
        iam = self.client("iam")
        iam.delete_role_policy(RoleName=name, PolicyName="s3")
        iam.delete_role(RoleName=name)

    def session_keys(self, role: str, *, seconds: int) -> dict[str, str]:
        """Assume a role and return its temporary keys, as environment variables."""
        asked = {"RoleArn": role, "RoleSessionName": "test", "DurationSeconds": seconds}
        keys = self.client("sts").assume_role(**asked)["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }


@functools.cache  # a client takes a third of a second to make
def _client(server: S3Server, service: str) -> Any:
    session: Any = boto3.Session(server.key, server.secret, region_name="us-east-1")
    # Unchecked: botocore knows no session below 15 minutes, this server does.
    config = Config(s3={"addressing_style": "path"}, parameter_validation=False)
    return session.client(service, endpoint_url=server.endpoint, config=config)


def _policy(statement: dict[str, Any]) -> str:
    # Without blanks: Ceph does not decode the plus signs that stand for them in a form.
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}
    return json.dumps(policy, separators=(",", ":"))


@pytest.fixture(scope="session")
def running_s3_server() -> Iterator[S3Server]:
    """Start the server once; skip where it is not installed, unless HEAP_TEST_S3=required."""
    if not _UNPACKED.exists():
        missing = "no S3 server: run .ci/ceph install (Debian 12, as root)"
        if os.environ.get("HEAP_TEST_S3") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    port = str(free_pair_of_ports())
    started = subprocess.run([_CEPH, "up", port], capture_output=True, text=True, timeout=180, check=False)
    assert started.returncode == 0, started.stderr
    try:
        yield S3Server(f"http://127.0.0.1:{port}")
    finally:
        subprocess.run([_CEPH, "down", port], check=True, timeout=60)


@pytest.fixture
def s3_server(running_s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> S3Server:
    """Lend the server, with its user's keys and nothing else of AWS in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", running_s3_server.key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", running_s3_server.secret)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return running_s3_server


@pytest.fixture
def s3_bucket(s3_server: S3Server) -> str:
    """Lend a new, empty bucket."""
    name = f"heap-{uuid.uuid4().hex}"
    client: S3Client = s3_server.client()
    client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def delivered_bucket(s3_server: S3Server, s3_bucket: str) -> str:
    """Lend a bucket with one data file, ``DELIVERED`` under ``DELIVERED_KEY``."""
    s3_server.client().put_object(Bucket=s3_bucket, Key=DELIVERED_KEY, Body=DELIVERED)
    return s3_bucket


@pytest.fixture
def fault_proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    """Lend a proxy in front of the server."""
    with running_proxy(s3_server.address) as proxy:
        yield proxy
