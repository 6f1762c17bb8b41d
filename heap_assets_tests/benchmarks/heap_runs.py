"""Tasks of heap_assets itself, as its command line would do them without Dagster.

Here: what is timed. Not here: when and how often (landing_rate.py, peak_memory.py, nightly.py).
"""

import time
from typing import Any

from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets_tests.benchmarks.child import peak_bytes
from heap_assets_tests.benchmarks.exports import NOT_COUNTED


def land(export: str, home: str) -> dict[str, Any]:
    """Land an export into an empty lake."""
    sync = _sync(export, home)
    _land(sync)
    return {"rows": landed_rows(sync)}


def land_resolve_publish(export: str, home: str) -> dict[str, Any]:
    """Do a whole sync; tells what each step took, and the peak so far after it."""
    sync = _sync(export, home)
    steps = {}
    for name, step in (("land", lambda: _land(sync)), ("resolve", sync.resolve), ("publish", sync.publish)):
        started = time.perf_counter()
        step()
        steps[name] = {"seconds": time.perf_counter() - started, "peak_bytes": peak_bytes()}
    return {"rows": landed_rows(sync), "steps": steps}


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


def _land(sync: Sync) -> None:
    sync.land()
