"""What starts a sync by itself: the manifest sensor, and a nightly schedule as a second net.

Here: ticks of a few lines. Not here: the decision (pipeline/landing/pickup.py).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import dagster as dg

from heap_assets.defs.automation.dead_runs import DIED, end_dead_runs
from heap_assets.defs.checks.completeness import tell_completeness
from heap_assets.defs.checks.outcomes import check_evaluation, check_result
from heap_assets.defs.internals import last_evaluation
from heap_assets.defs.keys import DUCKDB_FILE
from heap_assets.defs.selection import standing
from heap_assets.errors import HeapAssetsError, SettingsError, SourceError
from heap_assets.pipeline.landing.pending import arrivals
from heap_assets.pipeline.landing.pickup import MOST_ATTEMPTS, Attempt, pickup, waiting_dumps, waiting_key
from heap_assets.pipeline.last_known import Known
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.quality.outcome import Outcome, Verdict
from heap_assets.settings import read_settings

SYNC_JOB = "heap_sync"
EXPORT_LISTED = dg.AssetCheckKey(DUCKDB_FILE, "export_can_be_listed")
_WAITING = "heap/waiting"
_SENSOR_S = 30
_AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def manifest_sensor(loaded: Known) -> dg.SensorDefinition:
    """Return the sensor of definitions that were made of this; it also tells whether they are complete."""

    @dg.sensor(
        name="heap_manifests",
        job_name=SYNC_JOB,
        minimum_interval_seconds=_SENSOR_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Runs heap_sync when a manifest arrives or changes, and ends runs whose process has died. Prevents: dumps"
            " that lie in the bucket until somebody looks. One sync at a time; a dump that failed holds back later"
            " ones, and each tick says so; a listing that fails is a failed tick, never an empty bucket."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        tell_completeness(context.instance, loaded)
        return _tick(context)

    return sensor


def _tick(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Ask for a run if something waits that no run has been asked for."""
    running = _running(context.instance)
    if running is not None:
        return dg.SkipReason(pickup({}, running=running, attempts=(), failures=(), now=datetime.now(UTC)).message)
    sync, waiting = _looked(context.instance)
    decision = pickup(
        waiting,
        running=None,
        attempts=_attempts(context.instance, waiting_key(waiting)) if waiting else (),
        failures=sync.last_landing().failures,
        now=datetime.now(UTC),
    )
    if decision.run_key is None:
        return dg.SkipReason(decision.message)
    context.log.info(decision.message)
    return dg.SensorResult(
        run_requests=[_request(context, sync, run_key=decision.run_key, tags={_WAITING: decision.waiting_key})]
    )


@dg.schedule(
    name="heap_sync_nightly",
    job_name=SYNC_JOB,
    cron_schedule="17 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Runs heap_sync every night at 03:17 UTC whatever the sensor thinks. Prevents: a repaired file that nobody"
        " tries again, and a day without data because the sensor was off."
    ),
)
def nightly_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run, unless one is at work."""
    running = _running(context.instance)
    if running is not None:
        return dg.SkipReason(f"Run {running} is queued or at work.")
    return _request(context, Sync(read_settings(os.environ), Silence()))


def _request(
    context: dg.SensorEvaluationContext | dg.ScheduleEvaluationContext,
    sync: Sync,
    *,
    run_key: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.RunRequest:
    """Return a request for a run; a repository is there whenever a daemon asks."""
    repository = context.repository_def
    if repository is None:
        raise ValueError("a tick without a repository")
    named = standing(repository.get_job(SYNC_JOB), sync.registry().tables)
    return dg.RunRequest(run_key=run_key, tags=tags, asset_selection=named.assets, asset_check_keys=named.checks)


@dg.asset_check(
    asset=EXPORT_LISTED.asset_key,
    name=EXPORT_LISTED.name,
    description=(
        "The export can be listed. If not, check HEAP_EXPORT_URI, the credentials and the network; nothing is lost,"
        " the sensor goes on trying."
    ),
)
def export_check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """List the export."""
    try:
        _waiting()
    except HeapAssetsError as error:
        context.log.exception("the export cannot be listed")
        return check_result(EXPORT_LISTED, _not_listed(error))
    return check_result(EXPORT_LISTED, _LISTED)


@contextmanager
def telling_of_the_export(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Record that the export cannot be read if a run finds so, or that it can, if it could not be before."""
    try:
        yield
    except (SourceError, SettingsError) as error:
        context.log_event(check_evaluation(EXPORT_LISTED, _not_listed(error)))
        raise
    if _failed(context.instance):
        context.log_event(check_evaluation(EXPORT_LISTED, _LISTED))


_LISTED = Outcome(verdict=Verdict.PASSED, message="The export can be listed.")


def _not_listed(error: HeapAssetsError) -> Outcome:
    return Outcome(verdict=Verdict.FAILED, message=str(error))


def _waiting() -> tuple[Sync, Mapping[str, str]]:
    """Return the sync and what waits for it."""
    sync = Sync(read_settings(os.environ), Silence())
    ledger = sync.ledger()
    return sync, waiting_dumps(arrivals(sync.source(), ledger), ledger)


def _looked(instance: dg.DagsterInstance) -> tuple[Sync, Mapping[str, str]]:
    """Return what waits; whether the export could be listed is recorded when that changes, and alerts follow."""
    failed = _failed(instance)
    try:
        found = _waiting()
    except HeapAssetsError as error:
        if not failed:
            instance.report_runless_asset_event(check_evaluation(EXPORT_LISTED, _not_listed(error)))
        raise
    if failed:
        instance.report_runless_asset_event(check_evaluation(EXPORT_LISTED, _LISTED))
    return found


def _failed(instance: dg.DagsterInstance) -> bool:
    last = last_evaluation(instance, EXPORT_LISTED)
    return last is not None and not last.passed


def _running(instance: dg.DagsterInstance) -> str | None:
    """Return a sync that is queued or at work; one whose process is dead is ended first."""
    with suppress(HeapAssetsError):  # a setting that is wrong is told by who looks at the export
        end_dead_runs(instance, read_settings(os.environ), now=datetime.now(UTC))
    runs = instance.get_runs(dg.RunsFilter(job_name=SYNC_JOB, statuses=_AT_WORK), limit=1)
    return runs[0].run_id if runs else None


def _attempts(instance: dg.DagsterInstance, key: str) -> tuple[Attempt, ...]:
    records = instance.get_run_records(dg.RunsFilter(job_name=SYNC_JOB, tags={_WAITING: key}), limit=MOST_ATTEMPTS)
    return tuple(
        Attempt(
            run_id=record.dagster_run.run_id,
            ended=None if record.end_time is None else datetime.fromtimestamp(record.end_time, UTC),
            died=DIED in record.dagster_run.tags,
        )
        for record in records
    )
