"""Which failed runs Dagster repeats by itself, with the instance settings of the checkout and of an installation.

Real runs that fail, and Dagster's own daemon looking at them. Here: how often, and what people are told. Not here: when
heap_manifests asks for another run of heap_sync (automation/test_pickup.py).
"""

import re
import shutil

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon

from heap_assets.defs.automation.conditions import MARTS_SENSOR
from heap_assets.defs.automation.pickup import SYNC_JOB
from heap_assets.defs.definitions import heap_definitions
from heap_assets_tests.defs.operated import events
from heap_assets_tests.instances import Storage, new_database
from heap_assets_tests.receiver import receiver
from heap_assets_tests.working_copy import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Dagster's, about itself
FILES = {"checkout": ROOT / "dagster.yaml", "installation": ROOT / ".deploy" / "dagster.yaml"}
LOCATION = InProcessCodeLocationOrigin(
    LoadableTargetOrigin(module_name="heap_assets.definitions"), location_name="heap"
)
MARTS = dg.AssetSelection.groups("analytics", "published").required_multi_asset_neighbors()


@pytest.fixture(params=FILES)
def settings(request, tmp_path, monkeypatch) -> Storage:
    """Lend an empty instance with the settings of one of the files."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(FILES[request.param], folder)
    monkeypatch.chdir(folder)
    if request.param == "installation":
        database = new_database(request.getfixturevalue("postgres"))
        named = {"HOST": "hostname", "PORT": "port", "USER": "username", "PASSWORD": "password", "DATABASE": "db_name"}
        for name, key in named.items():
            monkeypatch.setenv(f"HEAP_POSTGRES_{name}", str(database[key]))
    return Storage(folder)


@pytest.fixture
def dumped(place):
    """Lend a place whose first dump waits."""
    place.deliver(1, {"orders": events((1, 1, 1, "2026-01-01"))})
    return place


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    """Lend the file of the configuration; one that is wrong fails a run, and nothing else."""
    file = tmp_path / "heap.yaml"
    file.touch()
    monkeypatch.setenv("HEAP_CONFIG", str(file))
    return file


@pytest.fixture
def chat(monkeypatch):
    with receiver() as lent:
        monkeypatch.setenv("HEAP_ALERT_URLS", lent.url)
        yield lent


def put_down(instance, job: dg.JobDefinition, **more: object) -> dg.DagsterRun:
    """Put down a run as the daemon does when a sensor has asked for it."""
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(LOCATION)) as workspace:
        (repository,) = workspace.create_request_context().get_code_location("heap").get_repositories().values()
        origin = repository.get_full_job(job.name).get_remote_origin()
    return instance.create_run_for_job(job, remote_job_origin=origin, **more)


def put_down_marts(instance) -> dg.DagsterRun:
    definitions = heap_definitions()
    job = definitions.resolve_implicit_global_asset_job_def()
    tags = definitions.get_repository_def().get_sensor_def(MARTS_SENSOR).run_tags
    return put_down(instance, job, tags=tags, asset_selection=set(MARTS.resolve(definitions.resolve_asset_graph())))


def executed(instance, run: dg.DagsterRun) -> bool:
    """Take a run out of the queue and execute it."""
    starting = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_STARTING.value, job_name=run.job_name)
    instance.report_dagster_event(starting, run_id=run.run_id)
    job = heap_definitions().resolve_implicit_global_asset_job_def().get_subset(asset_selection=run.asset_selection)
    return execute_run(InMemoryJob(job), instance.get_run_by_id(run.run_id), instance).success


def asked_for(instance) -> list[dg.DagsterRun]:
    """Have Dagster's daemon look at the runs that ended, if the settings let it; return what is queued then."""
    if EventLogConsumerDaemon.daemon_type() not in instance.get_required_daemon_types():
        return []
    with WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(LOCATION)) as workspace:
        for _ in EventLogConsumerDaemon().run_iteration(workspace):
            pass
    return instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))


def told(place, instance, chat) -> list[str]:
    """Have the alert sensor look; return the ids of the runs that people have been told of."""
    place.tick("heap_alerts", instance)
    return [run for message in chat.messages for run in re.findall(r"/runs/(\S+)", message["message"])]


@pytest.mark.parametrize("settings", ["checkout"], indirect=True)  # seconds of runs; both files in the others
def test_a_run_of_heap_marts_that_fails_is_repeated_twice_and_told_once(dumped, settings, configuration, chat):
    with settings.open() as instance:
        assert dumped.sync(instance)
        assert asked_for(instance) == []
        assert told(dumped, instance, chat) == []
        configuration.write_text("no such key: 1")
        run = put_down_marts(instance)
        for _ in range(2):
            assert not executed(instance, run)
            assert told(dumped, instance, chat) == []
            (again,) = asked_for(instance)
            assert (again.parent_run_id, again.tags["heap/sync"]) == (run.run_id, "1")
            run = again
        assert not executed(instance, run)
        assert asked_for(instance) == []
        for _ in range(2):
            assert told(dumped, instance, chat) == [run.run_id]


@pytest.mark.parametrize("settings", ["installation"], indirect=True)  # seconds of runs; both files in the others
def test_a_repeated_run_of_heap_marts_makes_what_the_first_did_not(dumped, settings, configuration):
    with settings.open() as instance:
        assert dumped.sync(instance)
        assert asked_for(instance) == []
        configuration.write_text("no such key: 1")
        assert not executed(instance, put_down_marts(instance))
        (again,) = asked_for(instance)
        configuration.write_text("project: main")
        assert executed(instance, again)
        assert asked_for(instance) == []


def test_a_run_of_heap_marts_whose_process_is_gone_is_repeated_and_one_of_heap_sync_is_not(dumped, settings):
    with settings.open() as instance:
        assert asked_for(instance) == []
        for run in (put_down_marts(instance), put_down(instance, heap_definitions().resolve_job_def(SYNC_JOB))):
            instance.report_run_failed(run, "its process is gone")
        (again,) = asked_for(instance)
        assert again.job_name != SYNC_JOB


def test_a_failed_run_is_not_told_before_dagster_has_put_down_whether_it_repeats_it(dumped, settings, chat):
    with settings.open() as instance:
        assert told(dumped, instance, chat) == []
        job = heap_definitions().resolve_job_def(SYNC_JOB)
        first, second = (instance.create_run_for_job(job, status=dg.DagsterRunStatus.FAILURE) for _ in range(2))
        assert told(dumped, instance, chat) == []
        instance.add_run_tags(first.run_id, {"dagster/will_retry": "true"})
        instance.add_run_tags(second.run_id, {"dagster/will_retry": "false"})
        assert told(dumped, instance, chat) == [second.run_id]
