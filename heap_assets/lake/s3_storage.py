"""The lake under an S3 prefix: what S3 has taken is there as a whole and stays.

Here: objects, and the local copies of those that are read. Not here: what a storage is (storage.py), what S3 refuses
(aws/refusals.py).
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection, Iterator
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from heap_assets.aws.access import AwsAccess, aws_session, s3_client, storage_options
from heap_assets.aws.refusals import explained
from heap_assets.errors import ObjectMissingError
from heap_assets.lake.disk import is_whole_parquet

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef


class S3Storage:
    """The lake under an S3 prefix; files are written locally first, and read copies are kept in ``cache``.

    ``fence`` is called before each change, and raises if another process may be writing.
    """

    can_tear = False

    def __init__(
        self, access: AwsAccess, bucket: str, prefix: str, *, cache: Path, fence: Callable[[], None] = lambda: None
    ) -> None:
        self._access, self._bucket, self._cache, self._fence = access, bucket, cache, fence
        self._prefix = PurePosixPath(prefix)
        self.uri = f"s3://{bucket}/{prefix}".rstrip("/")

    def __reduce__(self) -> tuple[Callable[..., "S3Storage"], tuple[AwsAccess, str, str]]:
        """Return how another process opens it, with credentials of its own; whoever commits holds the lock."""
        return partial(S3Storage, cache=self._cache), (self._access, self._bucket, str(self._prefix))

    @cached_property
    def _session(self) -> "Session":
        return aws_session(self._access)

    @cached_property
    def _client(self) -> "S3Client":
        return s3_client(self._access, self._session)

    def address(self, path: str) -> str:
        """Return the object's address."""
        return f"{self.uri}/{path}"

    def delta_address(self, path: str) -> str:
        """Return the object's address as a URL: unquoted, a ``#`` or ``?`` in it would end the prefix there."""
        return f"s3://{self._bucket}/{quote(self._key(path))}"

    def options(self) -> dict[str, str]:
        """Return region, endpoint, and keys that are valid now; Delta asks before each commit."""
        self._fence()
        return storage_options(self._access, self._session)

    def new_file(self, path: str) -> Path:
        """Return a temporary file."""
        handle, name = tempfile.mkstemp(suffix=PurePosixPath(path).suffix, prefix="heap-assets-")
        os.close(handle)
        return Path(name)

    def keep(self, written: Path, path: str) -> None:
        """Upload the file; what was written here need not be fetched to be read here."""
        self._fence()
        with explained(self.address(path)):
            self._client.upload_file(str(written), self._bucket, self._key(path))
        beside = self._beside(path)
        shutil.move(written, beside)  # from another disk it is a copy, which a killed run leaves half done
        beside.replace(self._cache / path)

    def settle(self, paths: Collection[str] = ()) -> None:
        """Do nothing: what S3 has taken stays."""

    def torn(self, paths: Collection[str]) -> frozenset[str]:
        """Return the objects that are gone, by a listing of each folder."""
        folders = {path.rpartition("/")[0] for path in paths}
        there = {f"{folder}/{name}" for folder in folders for name in self.names(folder)}
        return frozenset(paths) - there

    def local_copy(self, path: str) -> Path:
        """Return the cached file, fetched if it is not there yet, or not whole: nothing flushes the cache."""
        cached = self._cache / path
        if not is_whole_parquet(cached):
            beside = self._beside(path)
            with explained(self.address(path)):
                self._client.download_file(self._bucket, self._key(path), str(beside))
            beside.replace(cached)
        return cached

    def read(self, path: str) -> bytes | None:
        """Return the object's content; None if there is no such object."""
        try:
            with explained(self.address(path)):
                return self._client.get_object(Bucket=self._bucket, Key=self._key(path))["Body"].read()
        except ObjectMissingError:
            return None

    def write(self, path: str, content: bytes) -> None:
        """Put the object; S3 replaces it as a whole."""
        self._fence()
        with explained(self.address(path)):
            self._client.put_object(Bucket=self._bucket, Key=self._key(path), Body=content)

    def remember(self, path: str, content: bytes) -> None:
        """Put the object."""
        self.write(path, content)

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of the objects right below a prefix."""
        for page in self._pages(folder):
            yield from (found["Key"].rpartition("/")[2] for found in page.get("Contents", ()))

    def folders(self, folder: str) -> Iterator[str]:
        """Yield the names of what has objects right below a prefix."""
        for page in self._pages(folder):
            yield from (found["Prefix"].rstrip("/").rpartition("/")[2] for found in page.get("CommonPrefixes", ()))

    def _pages(self, folder: str) -> "Iterator[ListObjectsV2OutputTypeDef]":
        with explained(self.address(folder)):
            yield from self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._key(folder)}/", Delimiter="/"
            )

    def remove(self, path: str) -> None:
        """Delete the object, and what was fetched of it."""
        self._fence()
        with explained(self.address(path)):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(path))
        (self._cache / path).unlink(missing_ok=True)

    def _beside(self, path: str) -> Path:
        """Return a place in the cache for a file that is not whole yet."""
        cached = self._cache / path
        cached.parent.mkdir(parents=True, exist_ok=True)
        return cached.with_name(f"{cached.name}.{uuid.uuid4().hex}.tmp")

    def _key(self, path: str) -> str:
        return str(self._prefix / path)
