"""What runs in the fresh process: one task, timed after its imports, its figures written as JSON.

Called as ``python -m heap_assets_tests.benchmarks.child <module>:<function> <file of arguments> <result file>``.
A task takes JSON values and returns a dictionary of them. Not here: the tasks, and starting the process
(fresh_process.py).
"""

import json
import os
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

_PROCESS, _MACHINE = Path("/proc/self/status"), Path("/proc/stat")
_USED = slice(1, 4)  # user, nice, system


def main(task: str, arguments: str, result: str) -> None:
    """Run the task and write what it took."""
    module, _, name = task.partition(":")
    function = getattr(import_module(module), name)
    given = json.loads(Path(arguments).read_text(encoding="utf-8"))
    busy, cpu, started = _busy_seconds(), cpu_seconds(), time.perf_counter()
    values: dict[str, Any] = function(**given)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
    measured = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "others_cores": max(0.0, (_busy_seconds() - busy - cpu) / seconds),
        "peak_bytes": peak_bytes(),
        "values": values,
    }
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


def cpu_seconds() -> float:
    """Return what all threads of this process have used."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_bytes() -> int:
    """Return the most memory that this process has had, mapped files included.

    ru_maxrss starts at what the parent had when it started us, since Linux keeps it over an exec; VmHWM does not.
    """
    if _PROCESS.exists():
        for line in _PROCESS.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _busy_seconds() -> float:
    """Return for how long the cores that we may use have been used by anybody; 0 where that cannot be asked."""
    if not _MACHINE.exists():
        return 0.0
    ours = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = [line.split() for line in _MACHINE.read_text(encoding="utf-8").splitlines() if line.startswith("cpu")]
    ticks = sum(int(value) for line in lines if line[0] in ours for value in line[_USED])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main(*sys.argv[1:])
