"""Runs whose process died are ended and others begin, on SQLite and Postgres, in real processes that are killed.

Here: which runs are ended, and which never. Not here: locks (lake/locking/test_lock.py), a real daemon (end_to_end/).
"""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from heap_assets.defs.automation.dead_runs import end_dead_runs, living
from heap_assets.defs.definitions import heap_definitions
from heap_assets.settings import read_settings
from heap_assets_tests.defs.operated import events
from heap_assets_tests.working_copy import ROOT

SENSOR = "heap_manifests"
ROWS = events((1, 1, 1, "2026-01-01"))
RUN = "5f0c2a0e-6d2c-4b7e-9d1c-1d6f5a1b2c3d"


def created(instance, run_id=None, status=dg.DagsterRunStatus.STARTED, **tags):
    """Put down a run of heap_sync as Dagster does, whose process nobody has."""
    job = heap_definitions().resolve_job_def("heap_sync")
    run = instance.create_run_for_job(job, run_id=run_id, status=dg.DagsterRunStatus.NOT_STARTED)
    instance.add_run_tags(run.run_id, {**job.tags, **tags})
    if status is not dg.DagsterRunStatus.NOT_STARTED:
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name), run.run_id)
    return run.run_id


def tags():
    return {"heap/lake": read_settings(os.environ).lake_uri, "heap/host": socket.gethostname()}


def later(seconds):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def ended(instance, now=None):
    return end_dead_runs(instance, read_settings(os.environ), now=now or datetime.now(UTC))


def status(instance, run_id):
    return instance.get_run_by_id(run_id).status


def test_a_run_whose_lock_nobody_holds_is_ended_at_once_and_says_why(place, storage):
    with storage.open() as instance:
        dead = created(instance, **tags())
        assert ended(instance) == (dead,)
        assert status(instance, dead) is dg.DagsterRunStatus.FAILURE
        (record,) = instance.get_records_for_run(dead, of_type=dg.DagsterEventType.RUN_FAILURE).records
        assert "Its process died" in record.event_log_entry.dagster_event.message
        assert ended(instance) == ()


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_run_that_lives_or_whose_machine_cannot_be_looked_at_is_left_alone(place, storage, tmp_path):
    with storage.open() as instance, living(RUN) as lent:
        lives = created(instance, run_id=RUN, **lent)
        elsewhere = created(instance, **tags() | {"heap/host": "another"})
        assert ended(instance, now=later(3600)) == ()
        assert status(instance, lives) is status(instance, elsewhere) is dg.DagsterRunStatus.STARTED
    with storage.open() as instance:
        assert ended(instance) == (lives,)


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
@pytest.mark.parametrize("state", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_run_that_died_before_it_took_its_lock_is_ended_within_two_minutes(place, storage, state):
    with storage.open() as instance:
        dead = created(instance, status=state)
        assert ended(instance) == ()
        assert ended(instance, now=later(90)) == (dead,)
        assert status(instance, dead) is dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_a_run_of_others_is_never_ended(place, storage):
    @dg.op
    def nothing():
        pass

    @dg.job
    def theirs():
        nothing()

    with storage.open() as instance:
        run = instance.create_run_for_job(theirs)
        instance.report_dagster_event(dg.DagsterEvent(dg.DagsterEventType.RUN_START.value, "theirs"), run.run_id)
        assert ended(instance, now=later(3600)) == ()


def slow_export(place):
    """Deliver so much that a sync is at work for a second or two."""
    for number in range(1, 6):
        place.deliver(number, {f"table_{table}": events((number, 1, 1, "2026-01-01")) for table in range(4)})


def started_sync(place, command, folder):
    return subprocess.Popen(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=ROOT,
        env=os.environ | {"DAGSTER_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [("heap-assets", "sync"), ("dagster", "job", "execute", "-m", "heap_assets.definitions", "-j", "heap_sync")],
    ids=["heap-assets", "dagster"],
)
@pytest.mark.parametrize("storage", ["sqlite"], indirect=True)
def test_after_a_kill_the_next_tick_asks_for_a_run_that_goes_on_from_there(place, storage, command):
    slow_export(place)
    process = started_sync(place, command, storage.folder)
    with storage.open() as daemon:
        deadline = time.monotonic() + 120
        while not (found := [run for run in daemon.get_runs() if "heap/lake" in run.tags]):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        while daemon.get_run_by_id(found[0].run_id).status is not dg.DagsterRunStatus.STARTED:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert status(daemon, found[0].run_id) is dg.DagsterRunStatus.STARTED
        (request,) = place.tick(SENSOR, daemon).run_requests
        assert status(daemon, found[0].run_id) is dg.DagsterRunStatus.FAILURE
        assert place.sync(daemon, request.tags, request)
        assert "Every dump" in place.tick(SENSOR, daemon).skip_message
    assert list((place.folder / "home" / "lake" / "runs").iterdir()) == []
