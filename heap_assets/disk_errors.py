"""What a disk refuses, as one error that names the path and the remedy: full, read-only, not ours, names too long.

Python, Polars, DuckDB and Delta each say it in a class of their own; the system's words are in all of them.
Here: from their exceptions to a DiskError. Not here: what S3 refuses (aws/refusals.py).
"""

import errno
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import polars as pl

from heap_assets.errors import DiskError

_ROOM = "make room there, or choose another place by HEAP_HOME, HEAP_LAKE_URI or HEAP_DUCKDB_PATH"
_RIGHTS = "give this user the right to write there, or choose another place by HEAP_HOME, HEAP_LAKE_URI or"
_RIGHTS += " HEAP_DUCKDB_PATH"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: _ROOM,
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENAMETOOLONG: "choose a shorter path",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "raise the limit of open files (ulimit -n)",
    errno.EIO: "check the disk",
}
_PATH = re.compile(r"""["'](/[^"']+)["']""")
_OF_LIBRARIES = (duckdb.Error, pl.exceptions.PolarsError, sqlite3.Error)


@contextmanager
def disk_errors_explained(place: str) -> Iterator[None]:
    """Turn what a disk refuses into a ``DiskError``; ``place`` is named where the exception names no path."""
    try:
        yield
    except (OSError, *_OF_LIBRARIES) as error:
        explained = disk_error(error, place)
        if explained is None:
            raise
        raise explained from error


def disk_error(error: BaseException, place: str) -> DiskError | None:
    """Return the error that a person can act on, or None if a disk has not refused anything."""
    number = _errno(error)
    if number is None:
        return None
    named = _PATH.search(str(error))
    path = getattr(error, "filename", None) or (named[1] if named else place)
    return DiskError(f"{path}: {os.strerror(number)}; {_REMEDIES.get(number, 'check the path')}, then run again.")


def _errno(error: BaseException) -> int | None:
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    return next((number for number in _REMEDIES if os.strerror(number) in str(error)), None)
