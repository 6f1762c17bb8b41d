"""The swap: a built file takes the place of the published one, and what clients left beside that one ends there.

DuckDB keeps the write-ahead log of a file at ``<path>.wal``, whatever file lies at the path by then. A client that
wrote into the published file leaves its log there, and the next file would be read with it. Readers keep the file that
they have open. Here: logs, clients that write, the swap. Not here: building (file.py), links (place.py).
"""

import fcntl
import os
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

LOG = ".wal"
_REPLACED = ".replaced"


def is_written(file: Path) -> bool:
    """Return whether a client has the file open for writing: DuckDB locks it then against others."""
    try:
        with file.open("rb") as opened:
            fcntl.lockf(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no such file, or a file system without locks
        return False
    return False


def logs_of(names: Collection[Path]) -> tuple[Path, ...]:
    """Return the logs that clients have left beside the names of a file."""
    logs = (name.with_name(f"{name.name}{LOG}") for name in names)
    return tuple(log for log in logs if log.is_file() and not log.is_symlink())


def put_in_place(built: Path, names: Collection[Path]) -> None:
    """Put a built file in the place of the last of these names, and take away the logs beside all of them.

    A client that has the old file open for writing may begin a log after the swap. Until it is gone, a link that leads
    nowhere keeps the log's place: readers see no log, and that client's writing fails. DuckDB 1.1 takes the link away
    if it makes a checkpoint of a log that it had begun before; what it writes then ends with the next swap.
    """
    place = [*names][-1]
    kept = place.with_name(f".{place.name}.{uuid.uuid4().hex}{_REPLACED}")
    with suppress(OSError):  # no file yet, or a file system without hard links: no guard
        os.link(place, kept)
    _clear_logs(names)
    built.replace(place)
    _clear_logs(names)
    if any(list(_still_written(place))):
        for name in names:
            with suppress(FileExistsError):  # the log of a client of the new file
                name.with_name(f"{name.name}{LOG}").symlink_to(Path(f".{name.name}{_REPLACED}") / "no log")


def _still_written(place: Path) -> Iterator[Path]:
    """Yield the files that were replaced while a client wrote, and that it still has open; forget the others."""
    for left in place.parent.iterdir():
        if left.name.startswith(f".{place.name}.") and left.name.endswith(_REPLACED):
            if is_written(left):
                yield left
            else:
                left.unlink(missing_ok=True)


def _clear_logs(names: Collection[Path]) -> None:
    for name in names:
        name.with_name(f"{name.name}{LOG}").unlink(missing_ok=True)
