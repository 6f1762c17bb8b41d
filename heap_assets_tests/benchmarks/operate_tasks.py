"""Tasks of ``operate``, each in a process of its own: the history, loading, ticks with nothing new, a small run.

The environment says where (HEAP_EXPORT_URI, HEAP_HOME, DAGSTER_HOME). Not here: what is delivered (operate.py).
"""

import subprocess
import sys
import time
from typing import Any

import dagster as dg

from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.runs import run_sync_job
from heap_assets.pipeline.progress import Silence

SENSORS = ("heap_manifests", "heap_freshness", "heap_alerts")
_TIMED = """
import time; start = time.perf_counter()
import dagster; dagster_at = time.perf_counter()
from heap_assets.definitions import defs; imported = time.perf_counter()
defs().resolve_asset_graph(); end = time.perf_counter()
print(dagster_at - start, end - imported, end - start)
"""


def history() -> dict[str, Any]:
    """Land, resolve and publish everything, twice: the second run knows the tables beforehand."""
    for _ in range(2):
        _run()
    return {}


def loading(repeats: int) -> dict[str, Any]:
    """Time loading the definitions, the median of so many processes."""
    runs = []
    for _ in range(repeats):
        done = subprocess.run([sys.executable, "-c", _TIMED], capture_output=True, text=True, check=True)
        runs.append([float(word) for word in done.stdout.split()])
    dagster, definitions, whole = sorted(runs, key=lambda run: run[-1])[repeats // 2]
    return {"dagster": dagster, "definitions": definitions, "all": whole}


def ticks() -> dict[str, Any]:
    """Time the second tick of each sensor, as a daemon's code server has them: definitions are loaded."""
    definitions, taken = heap_definitions(), {}
    with dg.DagsterInstance.get() as instance:
        for name in SENSORS:
            cursor = None
            for _ in range(2):
                started = time.perf_counter()
                context = dg.build_sensor_context(
                    instance=instance, cursor=cursor, definitions=definitions, sensor_name=name
                )
                with context:
                    told = definitions.resolve_sensor_def(name).evaluate_tick(context)
                taken[name] = time.perf_counter() - started
                if told.run_requests:
                    raise RuntimeError(f"{name} asks for a run though nothing is new")
                cursor = told.cursor or cursor
    return taken


def run() -> dict[str, Any]:
    """Time one run, definitions included."""
    started = time.perf_counter()
    _run()
    return {"seconds": time.perf_counter() - started}


def _run() -> None:
    outcome = run_sync_job(Silence(), rebuild=False, reland=())
    if not outcome.succeeded:
        raise RuntimeError(f"the run failed: {outcome.errors}")
