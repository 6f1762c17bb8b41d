"""One writer per lake: a lock that lies with the lake, so that syncs of any home and machine take turns.

In a folder the system holds it for a process and drops it when that dies; in S3 it is a lease (lease.py). What lies
beside it only says who holds it. Here: waiting, the lock of a folder. Not here: who a holder is (holder.py), what is
forgotten when somebody else had the lock (pipeline/turns.py).
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from heap_assets.errors import LakeError
from heap_assets.lake.locking.holder import Holder, holder_json, parsed_holder, this_process

NAME = "lock"


class Lock(Protocol):
    """A lock that one process at a time holds.

    ``place`` is where it lies, for messages; ``pause`` how long to wait before another look, in seconds;
    ``others`` tells whether somebody else has held it since this one did.
    """

    place: str
    pause: float
    others: bool

    def try_acquire(self, what: str) -> Holder | None:
        """Take the lock if it is free or its holder is dead, and return None; else return who holds it."""

    def holder(self) -> Holder | None:
        """Return who holds the lock now; None if nobody alive does."""

    def check(self) -> None:
        """Raise a ``LakeError`` if this process held the lock and has lost it."""

    def release(self) -> None:
        """Let the next one have it."""

    def discard(self) -> None:
        """Let go of a lock that nobody else will ever take, and leave nothing behind."""


@contextmanager
def held(lock: Lock, what: str, *, wait: timedelta, note: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock; wait for whoever holds it, and say for whom.

    Raises:
        LakeError: Its holder was still at work after ``wait``; the message names it.
    """
    deadline = time.monotonic() + wait.total_seconds()
    named = None
    while (holder := lock.try_acquire(what)) is not None:
        if holder.key != named:
            note(f"another sync is at work on {lock.place}: {holder.message()}; waiting for it")
            named = holder.key
        if time.monotonic() >= deadline:
            raise LakeError(
                f"{lock.place}: another sync is at work: {holder.message()}. It was waited for as long as"
                " HEAP_LOCK_WAIT says. Sync again when it has ended, or end that process if it hangs; its lock ends"
                " with it."
            )
        time.sleep(min(lock.pause, max(deadline - time.monotonic(), 0)))
    try:
        yield
    finally:
        lock.release()


class FolderLock:
    """A lock on a file, held by the system: it ends with its process, however that dies, and never before."""

    pause = 0.2

    def __init__(self, file: Path, *, place: str) -> None:
        self.place, self.others = place, True
        self._me = this_process()
        self._file, self._told = file, file.with_name(f"{file.name}.json")
        self._lock = FileLock(file, thread_local=False)

    def try_acquire(self, what: str) -> Holder | None:
        """Take the lock, or return who holds it."""
        if not self._taken():
            return self._named()
        before = self._named()
        self.others = before.key != self._me.key
        self._me = replace(self._me, since=datetime.now(UTC), what=what)
        beside = self._told.with_name(f"{self._told.name}.{uuid.uuid4().hex}.tmp")
        try:
            beside.write_bytes(holder_json(self._me))
            beside.replace(self._told)
        except OSError as error:
            self._lock.release()
            raise self._refused(error) from error
        return None

    def holder(self) -> Holder | None:
        """Return who holds the lock."""
        if not self._file.exists():
            return None
        if not self._taken():
            return self._named()
        self._lock.release()
        return None

    def check(self) -> None:
        """Do nothing: the system does not take a lock from a process that lives."""

    def release(self) -> None:
        """Let the next one have it."""
        self._lock.release()

    def discard(self) -> None:
        """Delete the lock's files, then let go of it."""
        self._told.unlink(missing_ok=True)
        self._file.unlink(missing_ok=True)
        self._lock.release(force=True)

    def _taken(self) -> bool:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            raise self._refused(error) from error
        return True

    def _refused(self, error: Exception) -> LakeError:
        return LakeError(
            f"{self._file}: this lock cannot be taken: {error}; the folder must be writable, and its file system must"
            " know locks"
        )

    def _named(self) -> Holder:
        try:
            return parsed_holder(self._told.read_bytes())
        except OSError:
            return Holder()
