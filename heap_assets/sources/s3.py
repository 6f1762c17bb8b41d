"""An export in S3, or in a store that speaks S3: listing, reading, complete downloads.

Here: the source on a boto3 client. Not here: how S3 is reached (aws/access.py), what refusals mean (aws/refusals.py).
"""

import io
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError
from urllib3.exceptions import HTTPError

from heap_assets.aws.access import ATTEMPTS
from heap_assets.aws.refusals import explained
from heap_assets.errors import SourceError
from heap_assets.sources.source import StoredObject, key_below_root

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK: Final = 1 << 20
_LISTING: Final = {"Name", "KeyCount", "MaxKeys", "IsTruncated"}


class S3Source:
    """An export below ``s3://bucket[/prefix]``, on a client that may be shared by threads."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str = "", *, page_size: int = 1000) -> None:
        if not bucket or "@" in bucket or ":" in bucket:
            raise SourceError("the export's address has no bucket name where s3://bucket[/prefix] has it")
        self._client, self._bucket, self._page_size = client, bucket, page_size
        self._below = f"{prefix.strip('/')}/" if prefix.strip("/") else ""

    def __repr__(self) -> str:
        return f"S3Source({self.uri!r})"

    @property
    def uri(self) -> str:
        """Return the address of the root."""
        return f"s3://{self._bucket}/{self._below}".rstrip("/")

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the objects whose key starts with the prefix, a page at a time."""
        with explained(f"{self.uri}/{prefix}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._below + prefix, PaginationConfig={"PageSize": self._page_size}
            )
            for page in pages:
                if not _LISTING & page.keys():  # a web page that came with status 200 has none of them
                    raise SourceError(
                        f"{self.uri}: the answer is not a listing of S3; check AWS_ENDPOINT_URL, and whether a proxy"
                        " answers in its place"
                    )
                for found in page.get("Contents", ()):
                    if not found["Key"].endswith("/"):
                        yield StoredObject(
                            key=found["Key"].removeprefix(self._below),
                            size=found["Size"],
                            modified=found["LastModified"].astimezone(UTC),
                            signature=found["ETag"].strip('"'),
                        )

    def read(self, key: str) -> bytes:
        """Return the content of a small object."""
        content = io.BytesIO()
        self._download(key, content)
        return content.getvalue()

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Lend a temporary file with the object's content; the key's ending is kept, the rest of its name is not."""
        with ExitStack() as until_returned:
            try:
                folder = until_returned.enter_context(tempfile.TemporaryDirectory(prefix="heap-assets-"))
                path = Path(folder) / f"object{PurePosixPath(key).suffix}"
                with path.open("wb") as file:
                    self._download(key, file)
            except OSError as error:
                full = f"{self.uri}/{key} cannot be copied to {tempfile.gettempdir()}: {error.strerror}"
                raise SourceError(f"{full}; set TMPDIR to a disk with room") from error
            yield path

    def root_of(self, listed: str, dump_id: int | None = None) -> str:
        """Return the key of a manifest's path."""
        return key_below_root(listed, dump_id)

    def _download(self, key: str, target: BinaryIO) -> None:
        address = f"{self.uri}/{key}"
        for attempt in range(1, ATTEMPTS + 1):
            with explained(address):
                body = self._client.get_object(Bucket=self._bucket, Key=self._below + key)["Body"]
            target.seek(0)
            target.truncate()
            try:
                # botocore retries requests, not bodies; its body compares what came with what S3 announced.
                with closing(body):
                    target.writelines(body.iter_chunks(_CHUNK))
            except (IncompleteReadError, ReadTimeoutError, ResponseStreamingError, HTTPError) as error:
                if attempt == ATTEMPTS:
                    broken = f"{address}: the transfer broke off {attempt} times: {error}"
                    raise SourceError(f"{broken}; check the network, then run again") from error
                time.sleep(0.1 * 2**attempt)
            else:
                return
