"""Running the job from Python: what the command line does.

Here: the instance that the UI shows too, run config, the result. Not here: what is printed (cli/commands.py).
"""

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from heap_assets import errors
from heap_assets.defs.automation.dead_runs import end_dead_runs, living
from heap_assets.defs.automation.pickup import SYNC_JOB
from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.internals import instance_of, part_of_job
from heap_assets.defs.selection import standing
from heap_assets.disk_errors import disk_errors_explained
from heap_assets.pipeline.progress import Progress, Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended; ``errors`` are what stopped it, besides dumps that could not be taken."""

    succeeded: bool
    errors: tuple[str, ...]


def run_sync_job(progress: Progress, *, rebuild: bool, reland: tuple[int, ...]) -> RunOutcome:
    """Run heap_sync in this process and return how it ended; its history is where the UI looks for it."""
    job = heap_definitions(progress=progress).resolve_job_def(SYNC_JOB)
    settings, run_id = read_settings(os.environ), str(uuid.uuid4())
    named = standing(job, Sync(settings, Silence()).registry().tables)
    job = part_of_job(job, named.assets, named.checks)
    with _instance() as instance, living(run_id) as tags:
        end_dead_runs(instance, settings, now=datetime.now(UTC))
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            tags=tags,
            raise_on_error=False,
            run_config={
                "ops": {"land": {"config": {"reland": list(reland)}}, "resolve": {"config": {"rebuild": rebuild}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
    return RunOutcome(succeeded=result.success, errors=tuple(_errors(result.get_step_failure_events())))


def _errors(failures: Iterable[dg.DagsterEvent]) -> Iterator[str]:
    """Yield what stopped each step: the message where a person can act on it, else the whole trace."""
    for failure in failures:
        error = failure.step_failure_data.error
        cause = error.cause or error if error else None
        if cause is not None and cause.cls_name != "DagsterAssetCheckFailedError":
            is_ours = hasattr(errors, cause.cls_name or "")
            yield " ".join(cause.message.partition(": ")[2].split()) if is_ours else cause.to_string()


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    """Return the instance of DAGSTER_HOME, else of the dagster.yaml in the working folder, else one for this run.

    Raises:
        DiskError: Its history cannot be opened or written.
    """
    place = os.environ.get("DAGSTER_HOME") or str(Path.cwd())
    try:
        with disk_errors_explained(place), _opened_instance() as instance:
            yield instance
    except SQLAlchemyError as error:
        said = str(error).partition("\n")[0]
        remedy = "check the rights and the room there, or set DAGSTER_HOME to another folder"
        raise errors.DiskError(
            f"{place}: Dagster's history cannot be used: {said}; {remedy}, then run again."
        ) from error


@contextmanager
def _opened_instance() -> Iterator[dg.DagsterInstance]:
    if os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.get() as instance:
            yield instance
    elif Path("dagster.yaml").exists():
        with instance_of(str(Path.cwd())) as instance:
            yield instance
    else:
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
