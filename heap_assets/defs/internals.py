"""Every name of Dagster that is not public and that we use, each with why and where Dagster is asked for a public one.

Seen in Dagster 1.13.27; heap_assets_tests/defs/test_internals.py pins each, so that a release that moves one fails a
test and not a night. Here: thin functions over them. Not here: what they are used for (the rest of defs/).
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.job.asset_job import is_reserved_asset_job_name
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.tags import SENSOR_NAME_TAG, WILL_RETRY_TAG

Within = Callable[[str], AbstractContextManager[Mapping[str, str]]]
"""Enters what a run, by its id, is executed within; lends tags that the run gets."""

UNCHANGED = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: dg.MetadataValue.bool(value=True)}
"""Metadata of a result that is not recorded: the asset is as it was.

A step is skipped as soon as one asset above it has no result (dagster#22242), and an asset without one is shown as
failed (dagster#33931).
"""


def report_materialization(
    instance: dg.DagsterInstance, materialization: dg.AssetMaterialization, *, at: datetime
) -> None:
    """Record a materialization outside of any run at a time of ours; the public call takes now (dagster#19976)."""
    instance.report_dagster_event(
        DagsterEvent(
            event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            event_specific_data=StepMaterializationData(materialization),
            job_name=RUNLESS_JOB_NAME,
        ),
        run_id=RUNLESS_RUN_ID,
        timestamp=at.timestamp(),
    )


def last_evaluation(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dg.AssetCheckEvaluation | None:
    """Return the last outcome of a check; Dagster has no public way to it, planned ones pass for records."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
    found = (one.evaluation for one in records if isinstance(one.evaluation, dg.AssetCheckEvaluation))
    return next(found, None)


def last_evaluations(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey]
) -> dict[dg.AssetCheckKey, dg.AssetCheckEvaluation]:
    """Return the last outcome of each check that is not being run just now, in one query."""
    ended = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
    records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    return {key: one.evaluation for key, one in records.items() if one.status in ended and one.evaluation is not None}


def freshness_states(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey]) -> dict[dg.AssetKey, str]:
    """Return how Dagster judges the freshness of each asset that it has judged: PASS, WARN, FAIL or UNKNOWN."""
    return {key: one.freshness_state.value for key, one in instance.get_freshness_state_records(keys).items()}


def checks_of_repository(repository: dg.RepositoryDefinition) -> list[dg.AssetCheckKey]:
    """Return the keys of all checks, sorted."""
    return sorted(repository.asset_graph.asset_check_keys)


def assets_with_policy(repository: dg.RepositoryDefinition) -> list[dg.AssetKey]:
    """Return the assets that have a freshness policy."""
    graph = repository.asset_graph
    return [key for key in graph.get_all_asset_keys() if graph.get(key).freshness_policy]


def assets_of_job(job: dg.JobDefinition) -> Collection[dg.AssetKey]:
    """Return the assets that a job materializes; a resolved job does not say so publicly."""
    return job.asset_layer.selected_asset_keys


def checks_of_job(job: dg.JobDefinition) -> set[dg.AssetCheckKey]:
    """Return the checks of a job's steps."""
    return {key for data in job.asset_layer.data for key in data.assets_def.check_keys}


def part_of_job(
    job: dg.JobDefinition, assets: Collection[dg.AssetKey], checks: Collection[dg.AssetCheckKey]
) -> dg.JobDefinition:
    """Return a job with these assets and checks alone; ``execute_in_process`` takes assets, and adds all checks."""
    return job.get_subset(asset_selection=set(assets), asset_check_selection=set(checks))


def location_of(run: dg.DagsterRun) -> str | None:
    """Return the name of the code location that a run was launched from; None if no daemon or webserver did."""
    origin = run.remote_job_origin
    return None if origin is None else origin.repository_origin.code_location_origin.location_name


def known_as(run: dg.DagsterRun) -> str:
    """Return what people know a run by; assets that are not run by a job of ours have a job of Dagster's."""
    return run.tags.get(SENSOR_NAME_TAG, "chosen assets") if is_reserved_asset_job_name(run.job_name) else run.job_name


def is_retried(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether Dagster runs a failed run again; it says so a moment after the failure, until then it may."""
    return run.tags.get(WILL_RETRY_TAG, "true" if instance.run_retries_enabled else "false") == "true"


def step_failures(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent | None]:
    """Return the failures of a run's steps."""
    found = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    return [record.event_log_entry.dagster_event for record in found]


def end_run(instance: dg.DagsterInstance, run: dg.DagsterRun, message: str, tags: Mapping[str, str]) -> None:
    """End a run whose process is gone, as canceled where that was asked for, else as failed; else only the UI can."""
    instance.add_run_tags(run.run_id, tags)
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message=message)
    else:
        instance.report_run_failed(run, message=message)


def instance_of(folder: str) -> AbstractContextManager[dg.DagsterInstance]:
    """Return the instance that the dagster.yaml of a folder describes; publicly that takes DAGSTER_HOME."""
    return dg.DagsterInstance.from_config(folder)


class _ExecutorWithin(dg.Executor):
    """Executes as another executor does, within a context of ours."""

    def __init__(self, steps: dg.Executor, within: Within) -> None:
        self._steps, self._within = steps, within

    @property
    def retries(self) -> RetryMode:
        return self._steps.retries

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        with self._within(plan_context.run_id) as tags:
            plan_context.instance.add_run_tags(plan_context.run_id, tags)
            yield from self._steps.execute(plan_context, execution_plan)


def in_process_executor_within(within: Within, *, description: str) -> dg.ExecutorDefinition:
    """Return Dagster's in-process executor within a context: run hooks begin after a run does, and end before it."""
    create = dg.in_process_executor.executor_creation_fn
    if create is None:
        raise ValueError("Dagster's in-process executor cannot be made")
    # the schema of another definition is taken, too, although the annotation does not say so
    schema: Any = dg.in_process_executor.config_schema
    return dg.ExecutorDefinition(
        name="in_process",
        config_schema=schema,
        executor_creation_fn=lambda context: _ExecutorWithin(create(context), within),
        description=description,
    )
