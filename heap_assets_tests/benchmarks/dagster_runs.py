"""Task of heap_assets as a Dagster job: what ``heap-assets sync`` does, with its history in SQLite.

The environment says where (HEAP_EXPORT_URI, HEAP_HOME, DAGSTER_HOME). Timed are definitions, instance, run and events;
not timed is importing Dagster.
"""

import os
from typing import Any

from heap_assets.defs.runs import run_sync_job
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets_tests.benchmarks.heap_runs import landed_rows


def run_job() -> dict[str, Any]:
    """Run the job heap_sync in this process."""
    sync = Sync(read_settings(os.environ), Silence())
    sync.discover()
    if not run_sync_job(Silence(), rebuild=False, reland=()).succeeded:
        raise RuntimeError("the run failed")
    return {"rows": landed_rows(sync)}
