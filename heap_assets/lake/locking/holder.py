"""Who holds a lock: enough to name it to a person, and to know on the same machine that it is dead.

Here: the document, and this process as one. Not here: locks (lock.py, lease.py).
"""

import os
import socket
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_PROCESSES = Path("/proc/self/ns/pid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process, as the one that holds a lock; ``since`` is aware, ``key`` tells two holders in one process apart.

    ``machine`` names the boot and the container in which a process id means something, ``began`` when the process
    was started, since ids are used again; both are empty where the system does not tell.
    """

    key: str = ""
    host: str = ""
    pid: int = 0
    machine: str = ""
    began: str = ""
    since: datetime = _LONG_AGO
    what: str = ""

    def is_gone(self) -> bool:
        """Return whether this process is known to be dead; one on another machine never is."""
        if not self.machine or self.machine != _machine():
            return False
        began = _began(self.pid)
        return began is None or began != self.began

    def message(self) -> str:
        """Return who it is, in words."""
        if not self.key:
            return "a process that left no name"
        return f"process {self.pid} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC ({self.what})"


_HOLDER = TypeAdapter(Holder)


def this_process() -> Holder:
    """Return a new holder of this process."""
    pid = os.getpid()
    return Holder(key=uuid.uuid4().hex, host=socket.gethostname(), pid=pid, machine=_machine(), began=_began(pid) or "")


def holder_json(holder: Holder) -> bytes:
    """Return the document of a holder."""
    return _HOLDER.dump_json(holder)


def parsed_holder(content: bytes) -> Holder:
    """Return the holder of a document; one that cannot be read, since it is being written, is a holder without name."""
    try:
        return _HOLDER.validate_json(content)
    except ValidationError:
        return Holder()


def _machine() -> str:
    """Return the boot and the process namespace; nothing where there is no /proc."""
    try:
        return f"{_BOOT.read_text().strip()} {_PROCESSES.stat().st_ino}"
    except OSError:
        return ""


def _began(pid: int) -> str | None:
    """Return when a process began, in ticks since the boot; None if there is no such process or it has ended."""
    with suppress(OSError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if state in {"Z", "X"} else fields[18]
    return None
