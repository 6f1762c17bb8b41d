"""The weekly maintenance as a job and a schedule. Here: a body of a few lines. Not here: what it does (pipeline/)."""

import os

import dagster as dg

from heap_assets.defs.automation.dead_runs import living_executor
from heap_assets.defs.resources import LoggedProgress
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings

MAINTENANCE_JOB = "heap_maintenance"


@dg.op(
    name="tidy_up",
    out=dg.Out(dg.Nothing),
    description="Takes void deliveries out of the raw Delta tables, and deletes what nothing has read for a week.",
)
def tidy_up(context: dg.OpExecutionContext) -> None:
    """Remove what is needed no more."""
    done = Sync(read_settings(os.environ), LoggedProgress(context.log)).maintain()
    if done.skipped:
        context.log.warning(done.skipped)
    for name, table in done.tables.items():
        if table.deliveries or table.files:
            context.log.info("%s: %d void deliveries out, %d files deleted", name, table.deliveries, table.files)
    context.add_output_metadata(
        {
            "void_deliveries": sum(table.deliveries for table in done.tables.values()),
            "files_deleted": sum(table.files for table in done.tables.values()) + sum(done.files.values()),
        }
    )


@dg.job(
    name=MAINTENANCE_JOB,
    tags={"heap/sync": "1"},
    executor_def=living_executor,
    description=(
        "Removes what neither the lake nor a published file needs: deliveries that a resync made void, and Parquet that"
        " has counted for nothing for 7 days. Never while a sync is at work."
    ),
)
def maintenance_job() -> None:
    """Tidy up."""
    tidy_up()


maintenance_schedule = dg.ScheduleDefinition(
    name="heap_maintenance_weekly",
    job=maintenance_job,
    cron_schedule="43 4 * * 0",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Sundays at 04:43 UTC. Prevents: a lake that only grows, every full resync leaving a second copy behind."
    ),
)
