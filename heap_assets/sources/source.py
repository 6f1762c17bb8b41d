"""Where an export lies: how its objects are listed and read, and how a manifest's paths become keys of this copy.

Here: the protocol, the local folder, re-rooting. Not here: S3 (s3.py), opening either kind (opening.py), which objects
there are and what they mean (heap/manifest.py, heap/arrivals.py).
"""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from heap_assets.errors import ManifestError, ObjectMissingError, SourceError

_SCHEME_AND_BUCKET = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*/?")
_DUMP_FOLDER = re.compile(r"sync_[0-9]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object of an export, as a listing shows it."""

    key: str
    """Below the export's root, with ``/``, never URL-decoded."""
    size: int
    modified: datetime
    """Aware, UTC, in microseconds."""
    signature: str
    """Changes when the content may have changed: the ETag in S3, modification time and size in a folder."""


class Source(Protocol):
    """An export that can be listed and read. Every error is a ``HeapAssetsError`` that names the address."""

    @property
    def uri(self) -> str:
        """Return the address of the root, without a slash at its end."""

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield every object whose key starts with the prefix, in the order of their keys, folder markers left out.

        A root that is not there or cannot be listed raises ``SourceError``: a failed listing is never an empty one.
        """

    def read(self, key: str) -> bytes:
        """Return the content of a small object; ``ObjectMissingError`` if there is none."""

    def local_copy(self, key: str) -> AbstractContextManager[Path]:
        """Lend a local file with the content of an object, complete or not at all."""

    def root_of(self, listed: str, dump_id: int | None = None) -> str:
        """Return the key that a path in a manifest has below this root."""


def key_below_root(listed: str, dump_id: int | None = None) -> str:
    """Return the key below the export's root of a path in a manifest: from its first folder ``sync_<dump_id>`` on.

    What stands before that folder belongs to the place from which the export was copied, and is dropped. Without the
    dump's number, or where a manifest lists another dump's file, the first folder ``sync_<digits>`` is taken: a table
    may bear such a name too, but only comes after it. A bucket is not a folder, and nothing is URL-decoded.

    >>> key_below_root("s3://heap-rs3-acme/copies/sync_7/users/part%41 1.avro")
    'sync_7/users/part%41 1.avro'
    >>> key_below_root("s3://acme/sync_2024/sync_7/sync_12/part.avro", 7)
    'sync_7/sync_12/part.avro'
    """
    bucket = _SCHEME_AND_BUCKET.match(listed)
    segments = listed[bucket.end() if bucket else 0 :].split("/")
    folders = [place for place, segment in enumerate(segments[:-1]) if _DUMP_FOLDER.fullmatch(segment)]
    if not folders:
        raise ManifestError(f"{listed!r} has no folder sync_<dump_id>, so its place below the export's root is unknown")
    of_dump = (place for place in folders if segments[place] == f"sync_{dump_id}")
    return "/".join(segments[next(of_dump, folders[0]) :])


class LocalFolder:
    """An export in a local folder of the same layout.

    A listing leaves out what writers have not finished: names that end in ``.tmp`` or begin with a dot, as rsync and
    our own writers use while they write. Links are followed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().absolute()

    def __repr__(self) -> str:
        return f"LocalFolder({self.uri!r})"

    @property
    def uri(self) -> str:
        """Return the absolute path of the folder."""
        return str(self._root)

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """Yield the files whose key starts with the prefix, one folder in memory at a time."""
        folder = prefix.rpartition("/")[0]
        try:
            os.scandir(self._root).close()
            start = self._path(folder)
            if start.is_dir() or start.is_symlink():  # a link into a disk that is not mounted must not look empty
                yield from self._below(f"{folder}/" if folder else "", prefix)
        except FileNotFoundError as error:
            raise SourceError(f"{error.filename} does not exist: check the path of the export {self.uri}") from error
        except OSError as error:
            raise SourceError(f"{self.uri} cannot be listed: {error.strerror} ({error.filename})") from error

    def read(self, key: str) -> bytes:
        """Return the content of a file."""
        path = self._path(key)
        try:
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ObjectMissingError(f"{path} does not exist") from error
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror}") from error

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """Lend the file itself."""
        path = self._path(key)
        if not path.is_file():
            raise ObjectMissingError(f"{path} does not exist")
        yield path

    def root_of(self, listed: str, dump_id: int | None = None) -> str:
        """Return the key of a manifest's path; ``ManifestError`` if it would lead out of the folder."""
        key = key_below_root(listed, dump_id)
        self._path(key)
        return key

    def _below(self, folder: str, prefix: str) -> Iterator[StoredObject]:
        with os.scandir(self._root / folder) as scan:
            # A folder sorts as S3 sorts what is in it, with its slash: "a-b" comes before "a/b".
            entries = sorted((f"{entry.name}/" if entry.is_dir() else entry.name, entry) for entry in scan)
        for name, entry in entries:
            key = folder + name
            if name.startswith(".") or name.endswith(".tmp"):
                continue
            if name.endswith("/"):
                if key.startswith(prefix) or prefix.startswith(key):
                    yield from self._below(key, prefix)
            elif key.startswith(prefix):
                yield from _file(entry, key)

    def _path(self, key: str) -> Path:
        if key.startswith("/") or ".." in key.split("/") or "\0" in key:
            raise ManifestError(f"{key!r} leads out of the export {self.uri}")
        return self._root / key


def _file(entry: "os.DirEntry[str]", key: str) -> Iterator[StoredObject]:
    try:
        status = entry.stat()
    except FileNotFoundError:
        if entry.is_symlink():
            raise
        return  # deleted since its folder was read
    yield StoredObject(
        key=key,
        size=status.st_size,
        modified=_EPOCH + timedelta(microseconds=status.st_mtime_ns // 1000),
        signature=f"{status.st_mtime_ns}-{status.st_size}",
    )
