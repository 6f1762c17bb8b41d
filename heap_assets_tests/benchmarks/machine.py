"""Where a benchmark ran: processor, cores that it may use, memory, versions, and how busy the machine was before."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = ("polars", "polars-avro", "duckdb", "deltalake", "dagster", "fastavro", "chdb", "dbt-core", "dbt-duckdb")
_CPUS = Path("/proc/cpuinfo")


def keep_to_cores(cores: int) -> None:
    """Let this process and those that it starts run on that many cores only, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def machine() -> dict[str, Any]:
    """Return what a figure depends on."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_before": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {package: found for package in _PACKAGES if (found := _version(package)) is not None},
    }


def told(found: dict[str, Any]) -> str:
    """Return the machine as two lines of text."""
    versions = ", ".join(
        f"{name} {number}" for name, number in {"python": found["python"], **found["packages"]}.items()
    )
    return (
        f"{found['cores']} cores ({found['processor']}), {found['memory_bytes'] / 2**30:.0f} GiB,"
        f" load before {found['load_before']}\n{versions}"
    )


def _version(package: str) -> str | None:
    """Return the version of a package; None where it is not installed, as dbt need not be."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    if _CPUS.exists():
        for line in _CPUS.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
