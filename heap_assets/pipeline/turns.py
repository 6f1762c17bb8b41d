"""Turns: a step of a sync has the lake to itself, and what it knew is forgotten if somebody else had it meanwhile.

Two locks, always in this order: the home's, for the published file, the report and the copies that lie there, and the
lake's. A run has one of its own besides, which tells whether it lives. Here: taking them. Not here: locks (lake/),
steps (sync.py), what becomes of a dead run (defs/automation/dead_runs.py).
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from heap_assets.lake.locking.lock import FolderLock, Lock, held
from heap_assets.pipeline.opening import open_lock
from heap_assets.settings import Settings

RUNS = "runs"


class Turns:
    """The turns of one sync; they may be nested."""

    def __init__(self, settings: Settings, note: Callable[[str], None], forget: Callable[[], None]) -> None:
        self._settings, self._note, self._forget = settings, note, forget
        self._home = FolderLock(settings.home / "sync.lock", place=str(settings.home))
        self._lake: Lock | None = None
        self._depth = 0

    @contextmanager
    def turn(self, what: str) -> Iterator[None]:
        """Have home and lake alone; wait for whoever has them.

        Raises:
            LakeError: Another sync was at work for longer than is waited, or a lock cannot be taken.
        """
        with ExitStack() as locks:
            if self._depth == 0:
                locks.enter_context(self.at_home(what))
                self._lake = self._lake or open_lock(self._settings)
                locks.enter_context(self._held(self._lake, what))
                if self._lake.others:
                    self._forget()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1

    def at_home(self, what: str) -> AbstractContextManager[None]:
        """Have the home alone, and whatever lake it is."""
        return self._held(self._home, what)

    def check(self) -> None:
        """Raise a ``LakeError`` if the lake's lock has been lost; whatever writes to the lake asks first."""
        if self._lake is not None:
            self._lake.check()

    def _held(self, lock: Lock, what: str) -> AbstractContextManager[None]:
        return held(lock, what, wait=self._settings.lock_wait, note=self._note)


def run_lock(settings: Settings, run_id: str) -> Lock:
    """Return the lock that a run holds while it lives; nobody waits for it."""
    return open_lock(settings, f"{RUNS}/{run_id}")
