"""What S3 refuses, and what to do about it.

Here: from boto3's exceptions to one error that names the address, S3's code and the next step. Not here: requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from heap_assets.errors import ObjectMissingError, SourceError

_ADVICE: Final = {
    "NoSuchBucket": "check the bucket's name",
    **dict.fromkeys(
        ("AccessDenied", "AllAccessDisabled"),
        "the identity needs s3:ListBucket on the bucket and s3:GetObject on its objects, in the lake also s3:PutObject "
        "and s3:DeleteObject; some stores also answer so to wrong or expired credentials",
    ),
    **dict.fromkeys(
        ("InvalidAccessKeyId", "SignatureDoesNotMatch"),
        "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile that they come from",
    ),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"),
        "the temporary credentials have expired: renew them, or set HEAP_AWS_ROLE_ARN, whose sessions renew themselves",
    ),
    **dict.fromkeys(("RequestTimeTooSkewed", "RequestExpired"), "set the clock of this machine"),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"),
        "set AWS_REGION to the bucket's region",
    ),
}
_ROLE_ADVICE: Final = (
    "check HEAP_AWS_ROLE_ARN, HEAP_AWS_EXTERNAL_ID, the role's trust policy, and the credentials that assume it"
)
_SERVER_FAILED: Final = 500


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what boto3 raises into a ``SourceError`` that says where, what S3 said, and what to do."""
    try:
        yield
    except ClientError as error:
        raise _refusal(address, error) from error
    except Boto3Error as error:  # what its transfers make of a ClientError
        raise _refused_transfer(address, error) from error
    except (BotoCoreError, ValueError) as error:  # a ValueError is how botocore names an endpoint that is not a URL
        raise SourceError(f"{address}: {error}; check AWS_ENDPOINT_URL, the network and the AWS credentials") from error


def _refused_transfer(address: str, error: Boto3Error) -> SourceError:
    if isinstance(error.__context__, ClientError):
        return _refusal(address, error.__context__)
    return SourceError(f"{address}: {error}; check AWS_ENDPOINT_URL, the network and the AWS credentials")


def _refusal(address: str, error: ClientError) -> SourceError:
    response: Mapping[str, Any] = error.response
    # Ceph's STS leaves out the <Error> around its answer, which botocore then calls "Unknown".
    stated = response if "Code" in response else response.get("Error", {})
    code, message = stated.get("Code", "unknown"), stated.get("Message")
    said = f"{code} ({message})" if message and message != code else code
    if code == "NoSuchKey":
        return ObjectMissingError(f"{address} does not exist")
    if error.operation_name == "AssumeRole":
        return SourceError(f"{address}: the role cannot be assumed: {said}; {_ROLE_ADVICE}")
    if response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_FAILED:
        return SourceError(f"{address}: S3 keeps failing: {said}; run again later")
    advice = _ADVICE.get(code, "see S3's documentation of this code")
    return SourceError(f"{address}: S3 refuses {error.operation_name}: {said}; {advice}")
