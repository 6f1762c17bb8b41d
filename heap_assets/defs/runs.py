"""Running the job from Python: what the command line does.

Here: the instance that the UI shows too, run config, the result. Not here: what is printed (cli.py).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from heap_assets.defs.definitions import SYNC_JOB, heap_definitions
from heap_assets.pipeline.progress import Progress


def run_sync_job(progress: Progress, *, rebuild: bool, reland: tuple[int, ...]) -> bool:
    """Run heap_sync in this process and return whether it succeeded; its history is where the UI looks for it."""
    job = heap_definitions(progress=progress).resolve_job_def(SYNC_JOB)
    with _instance() as instance:
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "ops": {"land": {"config": {"reland": list(reland)}}, "resolve": {"config": {"rebuild": rebuild}}},
                "loggers": {"console": {"config": {"log_level": "ERROR"}}},
            },
        )
    return result.success


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Return the instance of DAGSTER_HOME, else of the dagster.yaml in the working folder, else one for this run."""
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    elif Path("dagster.yaml").exists():
        with dg.DagsterInstance.from_config(str(Path.cwd())) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
