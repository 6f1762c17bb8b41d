"""Task of those who have Heap's dbt project: decode what is new, then ``dbt run``, in this process.

Incremental as Heap's project is: all rows of users who were active since the last run are made anew. What it misses is
mended: it tells who was active by dump and by new merges, not by the greatest time, and follows users to new ids.
Importing dbt is not timed, its start and parsing are. Left out: what is left out of the plain SQL (sql_peers.py), and
the project's tests. Not here: the project (dbt_project/).
"""

import os
from pathlib import Path
from typing import Any

import dbt.adapters.duckdb  # noqa: F401 (dbt would import it when the time is taken)
from dbt.cli.main import dbtRunner

from heap_assets_tests.benchmarks.plain_sql import PROJECT
from heap_assets_tests.benchmarks.sql_peers import Steps, decode, timed


def run(files: list[str], out: str) -> dict[str, Any]:
    """Decode these files beside what was decoded before, and run the project."""
    place = Path(out)
    steps: Steps = {}
    os.environ |= {"HEAP_PEER_RAW": str(place / "raw"), "HEAP_PEER_DATABASE": str(place / "peer.duckdb")}
    with timed(steps, "decode"):
        decode(files, place / "raw")
    with timed(steps, "dbt run"):
        folders = [f"--target-path={place / 'target'}", f"--log-path={place / 'logs'}"]
        project = [f"--project-dir={PROJECT}", f"--profiles-dir={PROJECT}"]
        outcome = dbtRunner().invoke(["run", *project, *folders, "--quiet"])
    if not outcome.success:
        raise RuntimeError(f"dbt failed: {outcome.exception or [result.message for result in outcome.result]}")
    for result in outcome.result:
        steps[result.node.name] = {"seconds": result.execution_time}
    return {"steps": steps}
