"""Where the lake lies: a folder or an S3 prefix, behind the few operations that the lake needs.

Here: paths, new files, small documents that are replaced as a whole. Not here: Delta tables (landed_table.py).
"""

import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Protocol

from heap_assets.aws.refusals import explained
from heap_assets.errors import LakeError, ObjectMissingError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

COMPRESSION: Final = "lz4"
"""Of every Parquet file: a night takes a sixth less CPU time than with zstd, the files a quarter more room."""
_MISREAD = re.compile(r"\\|%[0-9A-Fa-f]{2}")


class Storage(Protocol):
    """A place for the lake's files; paths are relative, with ``/``."""

    uri: str

    def address(self, path: str) -> str:
        """Return the address of a path, for Polars and Delta."""

    def options(self) -> dict[str, str]:
        """Return what Polars and Delta need besides the address, credentials that are valid now included."""

    def new_file(self, path: str) -> Path:
        """Return a local file to write; nobody sees it under ``path`` before ``keep``."""

    def keep(self, written: Path, path: str) -> None:
        """Make a written file appear under ``path``."""

    def local_copy(self, path: str) -> Path:
        """Return a local file with the content of an immutable file."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a document; None if there is none."""

    def write(self, path: str, content: bytes) -> None:
        """Replace a document as a whole: a reader sees the old content or the new."""

    def remember(self, path: str, content: bytes) -> None:
        """Replace a document that can be made again: after a crash it may be the old one, torn or gone."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of the files right in a folder, none if there is no such folder."""

    def remove(self, path: str) -> None:
        """Delete a file, if it is there."""


class FolderStorage:
    """The lake in a local folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        if _MISREAD.search(self._root.as_posix()):
            raise LakeError(
                f"The lake cannot lie in {self._root}: Delta misreads a backslash, and a percent sign before two"
                " hexadecimal digits. Set HEAP_HOME or HEAP_LAKE_URI to another folder."
            )
        self.uri = str(self._root)

    def address(self, path: str) -> str:
        """Return the file's path."""
        return str(self._root / path)

    def options(self) -> dict[str, str]:
        """Return nothing: a path says it all."""
        return {}

    def new_file(self, path: str) -> Path:
        """Return the file's own place: no reader looks there before a commit names it."""
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def keep(self, written: Path, path: str) -> None:
        """Do nothing: no reader looks at a Parquet file before a commit names it."""

    def local_copy(self, path: str) -> Path:
        """Return the file itself."""
        return self._root / path

    def read(self, path: str) -> bytes | None:
        """Return the document's content; None if there is none."""
        file = self._root / path
        return file.read_bytes() if file.exists() else None

    def write(self, path: str, content: bytes) -> None:
        """Write the document beside, then put it in its place."""
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
        with beside.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        beside.replace(file)

    def remember(self, path: str, content: bytes) -> None:
        """Put the document in its place, without waiting for the disk."""
        file = self._root / path
        beside = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
        beside.write_bytes(content)
        beside.replace(file)

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of the files right in a folder."""
        place = self._root / folder
        yield from (entry.name for entry in os.scandir(place) if entry.is_file()) if place.is_dir() else ()

    def remove(self, path: str) -> None:
        """Delete the file."""
        (self._root / path).unlink(missing_ok=True)


class S3Storage:
    """The lake under an S3 prefix; files are written locally first, and read copies are kept in ``cache``.

    ``fence`` is called before each change, and raises if another process may be writing.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        prefix: str,
        *,
        cache: Path,
        options: Callable[[], dict[str, str]],
        fence: Callable[[], None] = lambda: None,
    ) -> None:
        self._client, self._bucket, self._cache, self._options = client, bucket, cache, options
        self._fence = fence
        self._prefix = PurePosixPath(prefix)
        self.uri = f"s3://{bucket}/{prefix}".rstrip("/")

    def address(self, path: str) -> str:
        """Return the object's address."""
        return f"{self.uri}/{path}"

    def options(self) -> dict[str, str]:
        """Return region, endpoint, and keys that are valid now; Delta asks before each commit."""
        self._fence()
        return self._options()

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
        cached = self._cache / path
        cached.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(written, cached)

    def local_copy(self, path: str) -> Path:
        """Return the cached file, fetched if it is not there yet."""
        cached = self._cache / path
        if not cached.exists():
            cached.parent.mkdir(parents=True, exist_ok=True)
            beside = cached.with_name(f"{cached.name}.{uuid.uuid4().hex}.tmp")
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
        with explained(self.address(folder)):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._key(folder)}/", Delimiter="/"
            )
            for page in pages:
                yield from (found["Key"].rpartition("/")[2] for found in page.get("Contents", ()))

    def remove(self, path: str) -> None:
        """Delete the object, and what was fetched of it."""
        self._fence()
        with explained(self.address(path)):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(path))
        (self._cache / path).unlink(missing_ok=True)

    def _key(self, path: str) -> str:
        return str(self._prefix / path)
