"""What runs in the fresh process: one task, timed after its imports, its figures written as JSON.

Called as ``python -m heap_assets_tests.benchmarks.child <module>:<function> <arguments as JSON> <result file>``.
A task takes JSON values and returns a dictionary of them. Not here: the tasks, and starting the process
(fresh_process.py).
"""

import json
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

_PROCESS = Path("/proc/self/status")


def main(task: str, arguments: str, result: str) -> None:
    """Run the task and write what it took."""
    module, _, name = task.partition(":")
    function = getattr(import_module(module), name)
    given = json.loads(arguments)
    cpu, started = cpu_seconds(), time.perf_counter()
    values: dict[str, Any] = function(**given)
    seconds = time.perf_counter() - started
    measured = {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds() - cpu,
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


if __name__ == "__main__":
    main(*sys.argv[1:])
