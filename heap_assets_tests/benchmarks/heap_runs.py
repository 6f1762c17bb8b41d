"""Tasks of heap_assets itself, as its command line would do them without Dagster.

Here: what is timed. Not here: when and how often (landing_rate.py, peak_memory.py, nightly.py, history.py).
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa  # noqa: F401 (polars-avro would have it imported when the time is taken)

from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets_tests.benchmarks.child import peak_bytes
from heap_assets_tests.benchmarks.exports import NOT_COUNTED


def land(export: str, home: str) -> dict[str, Any]:
    """Land an export into an empty lake."""
    sync = _sync(export, home)
    sync.land()
    return {"rows": landed_rows(sync)}


def land_resolve_publish(export: str, home: str) -> dict[str, Any]:
    """Do a whole sync, the models as a part of publishing; tells what each step took, and the peak so far after it."""
    sync = _sync(export, home)
    return _told(sync, {"land": sync.land, "resolve": sync.resolve, "publish": sync.publish})


def land_resolve_analyze_publish(export: str, home: str) -> dict[str, Any]:
    """Do the same with the models as a step of their own."""
    sync = _sync(export, home)
    steps = {"land": sync.land, "resolve": sync.resolve, "analyze": sync.analyze, "publish": sync.publish}
    return _told(sync, steps)


def _told(sync: Sync, steps: Mapping[str, Callable[[], object]]) -> dict[str, Any]:
    took = {}
    for name, step in steps.items():
        started = time.perf_counter()
        step()
        took[name] = {"seconds": time.perf_counter() - started, "peak_bytes": peak_bytes()}
    return {"rows": landed_rows(sync), "steps": took}


def landed_rows(sync: Sync) -> int:
    """Return the rows of the last landing.

    Raises:
        RuntimeError: It left something behind.
    """
    outcome = sync.last_landing()
    if outcome.failures or outcome.waiting:
        raise RuntimeError(f"not everything landed: {outcome}")
    return sum(rows for table, _, rows in outcome.rows if table not in NOT_COUNTED)


def _sync(export: str, home: str) -> Sync:
    return Sync(read_settings({"HEAP_EXPORT_URI": export, "HEAP_HOME": home}), Silence())
