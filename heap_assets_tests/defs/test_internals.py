"""Each name of Dagster that is not public still does what we use it for; one that has become public is to be used so.

Here: the installed release. Not here: what they are used for (the other tests of defs).
"""

import inspect
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._annotations import is_public

from heap_assets.defs import internals

KEY = dg.AssetKey(["raw", "users"])
CHECK = dg.AssetCheckKey(KEY, "key")
WINDOW = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=2))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as lent:
        yield lent


@dg.asset(key=KEY, freshness_policy=WINDOW, check_specs=[dg.AssetCheckSpec("key", asset=KEY)])
def users() -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    yield dg.MaterializeResult(KEY)
    yield dg.AssetCheckResult(passed=False, asset_key=KEY, check_name="key")


@dg.multi_asset(specs=[dg.AssetSpec("as_it_was", skippable=True), dg.AssetSpec("new", skippable=True)])
def tables() -> Iterator[dg.MaterializeResult]:
    yield dg.MaterializeResult("as_it_was", metadata=internals.UNCHANGED)
    yield dg.MaterializeResult("new")


@dg.asset(deps=["as_it_was"])
def below() -> None: ...


@dg.asset
def failing() -> None:
    raise ValueError("broken")


DEFS = dg.Definitions(assets=[users, tables, below, failing], jobs=[dg.define_asset_job("ours", [KEY])])


def run_of(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name="ours", run_id=str(uuid.uuid4()), status=status, tags=tags))


def test_nothing_of_it_has_become_public():
    of = {
        dg.DagsterInstance: ("add_run_tags", "report_run_canceled", "report_run_failed", "report_dagster_event"),
        dg.RepositoryDefinition: ("asset_graph",),
        dg.JobDefinition: ("asset_layer", "get_subset"),
    }
    more = ("get_records_for_run", "get_freshness_state_records", "run_retries_enabled", "from_config")
    of[dg.DagsterInstance] = (*of[dg.DagsterInstance], *more, "event_log_storage")
    public = [name for kind, names in of.items() for name in names if is_public(inspect.getattr_static(kind, name))]
    assert public == []


def test_an_unchanged_result_is_not_recorded_and_what_is_below_runs(instance):
    result = dg.materialize([tables, below], instance=instance)
    assert result.success
    recorded = [event.asset_key for event in result.get_asset_materialization_events() if event.asset_key]
    assert recorded == [dg.AssetKey("new"), dg.AssetKey("below")]
    assert instance.get_latest_materialization_event(dg.AssetKey("as_it_was")) is None


def test_a_materialization_is_recorded_at_the_time_that_is_given(instance):
    time = datetime(2024, 6, 1, 12, tzinfo=UTC)
    internals.report_materialization(instance, dg.AssetMaterialization(KEY, metadata={"rows": 3}), at=time)
    event = instance.get_latest_materialization_event(KEY)
    assert event is not None
    assert datetime.fromtimestamp(event.timestamp, UTC) == time


def test_the_last_outcome_of_a_check_is_found_alone_and_among_others(instance):
    assert internals.last_evaluation(instance, CHECK) is None
    assert internals.last_evaluations(instance, [CHECK]) == {}
    dg.materialize([users], instance=instance)
    last = internals.last_evaluation(instance, CHECK)
    assert last is not None
    assert last.passed is False
    assert internals.last_evaluations(instance, [CHECK]) == {CHECK: last}
    instance.report_runless_asset_event(dg.AssetCheckEvaluation(KEY, check_name="key", passed=True, metadata={}))
    assert [one.passed for one in internals.last_evaluations(instance, [CHECK]).values()] == [True]


def test_no_freshness_is_known_before_the_daemon_has_judged(instance):
    assert internals.freshness_states(instance, [KEY]) == {}


def test_checks_and_policies_of_a_repository_are_found():
    repository = DEFS.get_repository_def()
    assert internals.checks_of_repository(repository) == [CHECK]
    assert internals.assets_with_policy(repository) == [KEY]


def test_a_job_says_its_assets_and_checks_and_gives_a_part(instance):
    job = DEFS.resolve_job_def("ours")
    assert set(internals.assets_of_job(job)) == {KEY}
    assert internals.checks_of_job(job) == {CHECK}
    part = internals.part_of_job(job, [KEY], [CHECK])
    assert part.execute_in_process(instance=instance).success


def test_a_run_that_nobody_launched_has_no_location(instance):
    assert internals.location_of(run_of(instance, dg.DagsterRunStatus.STARTED)) is None


def test_a_run_is_known_by_its_job_its_sensor_or_as_chosen_assets(instance):
    ours = run_of(instance, dg.DagsterRunStatus.STARTED)
    assert internals.known_as(ours) == "ours"
    chosen = ours._replace(job_name="__ASSET_JOB")
    assert internals.known_as(chosen) == "chosen assets"
    assert internals.known_as(chosen.with_tags({"dagster/sensor_name": "heap_marts"})) == "heap_marts"


def test_whether_a_run_is_retried_is_as_its_tag_says_and_as_the_instance_does_until_then(instance):
    run = run_of(instance, dg.DagsterRunStatus.FAILURE)
    assert internals.is_retried(instance, run) is instance.run_retries_enabled is False
    assert internals.is_retried(instance, run.with_tags({"dagster/will_retry": "true"})) is True
    assert internals.is_retried(instance, run.with_tags({"dagster/will_retry": "false"})) is False


def test_the_failures_of_a_run_name_the_step_and_the_cause(instance):
    result = dg.materialize([failing], instance=instance, raise_on_error=False)
    (failure,) = internals.step_failures(instance, result.run_id)
    assert failure is not None
    assert failure.step_key == "failing"
    assert "broken" in failure.step_failure_data.error.cause.message


@pytest.mark.parametrize(
    ("status", "ended"),
    [
        (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.FAILURE),
        (dg.DagsterRunStatus.CANCELING, dg.DagsterRunStatus.CANCELED),
    ],
)
def test_a_run_is_ended_as_it_was_meant_to_be(instance, status, ended):
    run = run_of(instance, status)
    internals.end_run(instance, run, "Its process died.", {"heap/died": "true"})
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert (found.status, found.tags["heap/died"]) == (ended, "true")


def test_an_instance_is_that_of_the_folder(tmp_path):
    storage = f"storage: {{sqlite: {{base_dir: {tmp_path}/history}}}}\n"
    (tmp_path / "dagster.yaml").write_text(storage)
    with internals.instance_of(str(tmp_path)) as found:
        assert found.get_runs() == []
    assert (tmp_path / "history").is_dir()


@contextmanager
def noted(run_id: str) -> Iterator[dict[str, str]]:
    yield {"noted": f"in {run_id}"}


def job_within() -> dg.JobDefinition:
    """Return a job whose runs are executed within the context; Dagster asks for it by its name."""
    executor = internals.in_process_executor_within(noted, description="ours")
    defs = dg.Definitions(assets=[below], jobs=[dg.define_asset_job("job", [below], executor_def=executor)])
    return defs.resolve_job_def("job")


def test_a_run_is_executed_within_the_context_and_gets_its_tags(instance):
    with dg.execute_job(dg.reconstructable(job_within), instance=instance) as result:
        assert result.success
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.tags["noted"] == f"in {run.run_id}"
