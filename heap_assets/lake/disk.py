"""What has to survive a power cut: files, and the names that they have in their folders, brought to the disk.

A file is on the disk once it was flushed, under its name once its folder was, and so on upwards. Here: flushing, once
for many files, and telling a whole Parquet file from what a power cut leaves of one. Not here: what must be on the disk
before what (storage.py, landed_table.py).
"""

import errno
import os
import threading
from collections.abc import Iterable
from pathlib import Path

_MAGIC = b"PAR1"
_LEAST_BYTES = 12
_CANNOT = {errno.EINVAL, errno.ENOTSUP}


class Disk:
    """The disk below a folder: files wait to be flushed together, folders are known once their names are safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._waiting: list[Path] = []
        self._named: set[Path] = set()

    def wait(self, file: Path) -> None:
        """Have a file flushed with the next ones."""
        with self._lock:
            self._waiting.append(file)

    def flush(self, files: Iterable[Path] = ()) -> None:
        """Return when these files and all that wait are on the disk, under their names.

        Measured: 1.3 ms for a file, 0.2 ms for a folder. Whoever comes while another thread flushes waits for it, for
        it may be flushing what the newcomer is about to name.
        """
        with self._lock:
            together, self._waiting = dict.fromkeys([*self._waiting, *files]), []
            for file in together:
                flush(file)
            for folder in dict.fromkeys(file.parent for file in together):
                self._flush_names(folder)

    def flush_names(self, folder: Path) -> None:
        """Return when the names in a folder, and its own, are on the disk."""
        with self._lock:
            self._flush_names(folder)

    def _flush_names(self, folder: Path) -> None:
        _flush_folder(folder)
        while folder not in self._named and folder != folder.parent:  # one of those above may be new
            self._named.add(folder)
            folder = folder.parent
            try:
                _flush_folder(folder)
            except PermissionError:
                if folder == self._root or self._root in folder.parents:
                    raise  # what lies above the lake may be another user's, and is then not new


def flush(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _flush_folder(folder: Path) -> None:
    try:
        flush(folder)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise  # some network file systems keep names safe by themselves, and refuse


def is_whole_parquet(file: Path) -> bool:
    """Return whether a Parquet file is there and has its end, which is written last; 15 us.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        with file.open("rb") as opened:
            opened.seek(0, os.SEEK_END)
            if opened.tell() < _LEAST_BYTES:
                return False
            opened.seek(-len(_MAGIC), os.SEEK_END)
            return opened.read() == _MAGIC
    except (FileNotFoundError, NotADirectoryError):
        return False
