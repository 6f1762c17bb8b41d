"""Where the lake lies: a folder or an S3 prefix, behind the few operations that the lake needs.

Here: paths, new files, small documents that are replaced as a whole; the lake in a folder. Not here: the lake in S3
(s3_storage.py), Delta tables (landed_table.py).
"""

import os
import uuid
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from heap_assets.errors import LakeError
from heap_assets.lake.disk import Disk, is_whole_parquet

COMPRESSION: Final = "lz4"
"""Of every Parquet file: a night takes a sixth less CPU time than with zstd, the files a quarter more room."""


class Storage(Protocol):
    """A place for the lake's files; paths are relative, with ``/``. It pickles as its settings, without any key."""

    uri: str
    can_tear: bool
    """Whether a power cut can take a file away or tear it; in S3 what was put is there, and whole."""

    def address(self, path: str) -> str:
        """Return the address of a path, for Polars, which takes it literally."""

    def delta_address(self, path: str) -> str:
        """Return the address of a path, for Delta, which takes one in S3 for a URL."""

    def options(self) -> dict[str, str]:
        """Return what Polars and Delta need besides the address, credentials that are valid now included."""

    def new_file(self, path: str) -> Path:
        """Return a local file to write; nobody sees it under ``path`` before ``keep``."""

    def keep(self, written: Path, path: str) -> None:
        """Make a written file appear under ``path``; ``settle`` has it survive a power cut."""

    def settle(self, paths: Collection[str] = ()) -> None:
        """Return when everything that was kept, and these files, survive a power cut."""

    def torn(self, paths: Collection[str]) -> frozenset[str]:
        """Return those of these immutable Parquet files that are gone, or not whole."""

    def local_copy(self, path: str) -> Path:
        """Return a local file with the content of an immutable file."""

    def read(self, path: str) -> bytes | None:
        """Return the content of a document; None if there is none. One that cannot be read is an error, never None."""

    def write(self, path: str, content: bytes) -> None:
        """Replace a document as a whole: a reader sees the old content or the new, so does one after a power cut.

        It may name whatever was kept before: that is settled first.
        """

    def remember(self, path: str, content: bytes) -> None:
        """Replace a document that can be made again: after a crash it may be the old one, torn or gone."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of the files right in a folder, none if there is no such folder."""

    def folders(self, folder: str) -> Iterator[str]:
        """Yield the names of the folders right in a folder, none if there is no such folder."""

    def remove(self, path: str) -> None:
        """Delete a file, if it is there."""


class FolderStorage:
    """The lake in a local folder; ``at_once`` has each file that is kept survive a power cut by itself."""

    can_tear = True

    def __init__(self, root: Path, *, at_once: bool = False) -> None:
        self._root = root.absolute()
        self.uri = str(self._root)
        self._disk = Disk(self._root)
        self._at_once = at_once

    def __reduce__(self) -> tuple[Callable[..., "FolderStorage"], tuple[Path]]:
        """Return how another process opens it: whoever commits there does not know what this one has kept."""
        return partial(FolderStorage, at_once=True), (self._root,)

    def address(self, path: str) -> str:
        """Return the file's path."""
        return str(self._root / path)

    def delta_address(self, path: str) -> str:
        """Return the file's path: Delta takes it literally, as settings.py has made sure."""
        return self.address(path)

    def options(self) -> dict[str, str]:
        """Return nothing: a path says it all."""
        return {}

    def new_file(self, path: str) -> Path:
        """Return the file's own place: no reader looks there before a commit names it."""
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def keep(self, written: Path, path: str) -> None:  # noqa: ARG002  it was written in its place
        """Leave the file in its place, where no reader looks before a commit names it."""
        self._disk.wait(written)
        if self._at_once:
            self._disk.flush()

    def settle(self, paths: Collection[str] = ()) -> None:
        """Flush the files and their folders to the disk."""
        self._disk.flush(self._root / path for path in paths)

    def torn(self, paths: Collection[str]) -> frozenset[str]:
        """Return the files that are not there or lack their end."""
        return frozenset(path for path in paths if not is_whole_parquet(self._root / path))

    def local_copy(self, path: str) -> Path:
        """Return the file itself."""
        return self._root / path

    def read(self, path: str) -> bytes | None:
        """Return the document's content; None if there is none."""
        file = self._root / path
        try:
            return file.read_bytes() if file.exists() else None
        except FileNotFoundError:
            return None
        except OSError as error:  # a failed read is never an empty document
            raise LakeError(f"{file} cannot be read: {error.strerror}; check the rights on it and the disk.") from error

    def write(self, path: str, content: bytes) -> None:
        """Write the document beside, then put it in its place."""
        self._disk.flush()
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
        with beside.open("wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        beside.replace(file)
        self._disk.flush_names(file.parent)

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

    def folders(self, folder: str) -> Iterator[str]:
        """Yield the names of the folders right in a folder."""
        place = self._root / folder
        yield from sorted(entry.name for entry in place.iterdir() if entry.is_dir()) if place.is_dir() else ()

    def remove(self, path: str) -> None:
        """Delete the file."""
        (self._root / path).unlink(missing_ok=True)
