"""How S3 is reached: credentials, roles that renew themselves, endpoints, retries.

Here: sessions, clients and storage options from one ``AwsAccess``, for the export and the lake alike. Not here:
environment variables (settings.py reads HEAP_*, boto3's chain AWS_*), what refusals mean (refusals.py).
No key, token or external id ever stands in a message, a log line or a repr.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import CredentialProvider, CredentialResolver, DeferredRefreshableCredentials

from heap_assets.aws.refusals import explained
from heap_assets.errors import SourceError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DEFAULT_REGION: Final = "us-east-1"  # where Heap syncs from
ATTEMPTS: Final = 5
_RETRIES = Config(
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},  # 5xx, throttling, lost connections, timeouts
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=32,
    # Stores other than AWS answer the newer checksums wrongly, above all on ranges.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
AT_ONCE: Final = _RETRIES.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=4, read_timeout=4)
)
"""For calls that are of no use when they come late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """How to reach S3: what is None is left to boto3's own chain (environment, profile, instance)."""

    endpoint_url: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.endpoint_url and "@" in self.endpoint_url:
            raise SourceError("the S3 endpoint's address holds credentials: give them as AWS_ACCESS_KEY_ID and its kin")


def aws_session(access: AwsAccess) -> boto3.Session:
    """Return a session with the region and credentials of ``access``; those of an assumed role renew themselves."""
    with explained("AWS credentials"):
        own = boto3.Session(region_name=access.region)
        region = own.region_name or _DEFAULT_REGION
        if not access.role_arn:
            return boto3.Session(region_name=region)
        core = botocore.session.get_session()
        provider = _AssumedRole(own, access, region)
        core.register_component("credential_provider", CredentialResolver([provider]))
        return boto3.Session(botocore_session=core, region_name=region)


def s3_client(access: AwsAccess, session: boto3.Session | None = None, *, calls: Config = _RETRIES) -> "S3Client":
    """Return a client that retries, times out, and follows the bucket's region; ``calls`` says for how long."""
    session = session or aws_session(access)
    with explained("the S3 client"):
        endpoint = _endpoint(access, session)
        # Only AWS gives every bucket a host name of its own.
        style = Config(s3={"addressing_style": "path"}) if endpoint else Config()
        return session.client("s3", endpoint_url=endpoint, config=calls.merge(style))


def storage_options(access: AwsAccess, session: boto3.Session | None = None) -> dict[str, str]:
    """Return what Polars and Delta need to reach S3. An assumed role's keys last for minutes: ask again each time."""
    session = session or aws_session(access)
    with explained("AWS credentials"):
        credentials = session.get_credentials()
        if credentials is None:
            raise SourceError("there are no AWS credentials: set AWS_ACCESS_KEY_ID and its kin, or AWS_PROFILE")
        keys = credentials.get_frozen_credentials()
        endpoint = _endpoint(access, session)
    options = {
        "aws_access_key_id": keys.access_key,
        "aws_secret_access_key": keys.secret_key,
        "aws_session_token": keys.token,
        "aws_region": session.region_name,
        "aws_endpoint_url": endpoint,
        "aws_allow_http": "true" if endpoint and endpoint.startswith("http://") else None,
        # Two writers cannot both commit one version: the log entry is put on condition that there is none.
        "aws_conditional_put": "etag",
    }
    return {name: value for name, value in options.items() if value}


class _AssumedRole(CredentialProvider):
    METHOD = "heap-assets-assumed-role"

    def __init__(self, own: boto3.Session, access: AwsAccess, region: str) -> None:
        super().__init__()
        self._sts = own.client("sts", endpoint_url=access.endpoint_url, region_name=region, config=_RETRIES)
        self._request: dict[str, Any] = {"RoleArn": access.role_arn, "RoleSessionName": "heap-assets"}
        if access.external_id:
            self._request["ExternalId"] = access.external_id

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(self._assume, self.METHOD)

    def _assume(self) -> dict[str, str]:
        granted = self._sts.assume_role(**self._request)["Credentials"]
        return {
            "access_key": granted["AccessKeyId"],
            "secret_key": granted["SecretAccessKey"],
            "token": granted["SessionToken"],
            "expiry_time": granted["Expiration"].isoformat(),
        }


def _endpoint(access: AwsAccess, session: boto3.Session) -> str | None:
    """Return the endpoint that is set, by ``access`` or for boto3 (AWS_ENDPOINT_URL, a profile); None for AWS's own."""
    if access.endpoint_url:
        return access.endpoint_url
    used = session.client("s3").meta.endpoint_url
    ignoring: dict[str, Any] = {"ignore_configured_endpoint_urls": True}  # botocore's stubs do not know it
    own = session.client("s3", config=Config(**ignoring)).meta.endpoint_url
    return None if used == own else used
