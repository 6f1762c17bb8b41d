"""Opening an export, wherever it lies.

Here: from an address to a source. Not here: how an address is read (addresses.py), the sources (source.py, s3.py).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from heap_assets.addresses import AddressError, read_address
from heap_assets.aws.access import AwsAccess, s3_client
from heap_assets.errors import SourceError
from heap_assets.sources.s3 import S3Source
from heap_assets.sources.source import LocalFolder, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def open_source(uri: str, *, access: AwsAccess | None = None, client: "S3Client | None" = None) -> Source:
    """Return the export at a local path, ``file://`` or ``s3://bucket[/prefix]``.

    For S3 a client that is given is used as it is; otherwise one is built from ``access``.

    Raises:
        SourceError: It is not an address.
    """
    try:
        place = read_address(uri)
    except AddressError as error:
        raise SourceError(f"{error}; an export is a folder or s3://bucket[/prefix]") from error
    if isinstance(place, Path):
        return LocalFolder(place)
    return S3Source(client or s3_client(access or AwsAccess()), place.bucket, place.prefix)
