"""Opening an export, wherever it lies.

Here: from an address to a source. Not here: the sources (source.py, s3.py).
"""

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from heap_assets.aws.access import AwsAccess, s3_client
from heap_assets.errors import SourceError
from heap_assets.export.s3 import S3Source
from heap_assets.export.source import LocalFolder, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def open_source(uri: str, *, access: AwsAccess | None = None, client: "S3Client | None" = None) -> Source:
    """Return the export at a local path, ``file://`` or ``s3://bucket[/prefix]``.

    For S3 a client that is given is used as it is; otherwise one is built from ``access``.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        return LocalFolder(_path_of_file_uri(uri) if separator else Path(uri))
    if scheme not in {"s3", "s3a"}:
        raise SourceError(f"{uri!r} is no export: a local path, file:///folder or s3://bucket[/prefix] is")
    bucket, _, prefix = rest.partition("/")
    return S3Source(client or s3_client(access or AwsAccess()), bucket, prefix)


def _path_of_file_uri(uri: str) -> Path:
    host, slash, path = uri.removeprefix("file://").partition("/")
    if host not in {"", "localhost"} or not slash:
        raise SourceError(f"{uri!r} is no local folder: an absolute path has three slashes, file:///folder")
    return Path("/" + unquote(path))
