"""Runs that died without a word, as after kill -9 or a power cut, are ended: else no other would ever begin.

Dagster goes on calling such a run started. Ours hold a lock with the lake while they live, so the lock tells which are
dead, whichever machine they ran on; a run that waits for its turn lives. Here: the lock of a run, the executor that
takes it, ending the dead. Not here: locks (lake/locking/lock.py).
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from heap_assets.defs.internals import end_run, in_process_executor_within
from heap_assets.errors import HeapAssetsError
from heap_assets.pipeline.turns import RUNS, run_lock
from heap_assets.places import is_s3
from heap_assets.settings import Settings, read_settings

DIED = "heap/died"
_SYNC, _LAKE, _HOST = "heap/sync", "heap/lake", "heap/host"
_BEGINNING = timedelta(seconds=75)
"""A process has its lock seconds after its run has begun; on a machine that is very busy, after tens of seconds."""
_DIED = (
    "Its process died, as after kill -9, out of memory or a power cut: it no longer holds its lock in {lake}. What it"
    " had landed stays; the next run goes on from there."
)
_NEVER_BEGAN = "Its process died before it had begun. Nothing was done; the next run does it."
_BEGUN = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_CREATED = [dg.DagsterRunStatus.NOT_STARTED]


@contextmanager
def living(run_id: str) -> Iterator[Mapping[str, str]]:
    """Let others know that a run lives; lend the tags that say where its lock is.

    With settings or a lake that cannot be read there is no lock: the steps of the run say what is wrong, and it ends.
    """
    lock, tags = None, {}
    with suppress(HeapAssetsError):
        settings = read_settings(os.environ)
        lock = run_lock(settings, run_id)
        lock.try_acquire("run")
        tags = {_LAKE: settings.lake_uri, _HOST: socket.gethostname()}
    try:
        yield tags
    finally:
        if lock is not None:
            lock.discard()


def end_dead_runs(instance: dg.DagsterInstance, settings: Settings, *, now: datetime) -> tuple[str, ...]:
    """End every run of ours whose process is dead, as failed or, where that was asked for, as canceled; return which.

    Whatever ends a run later finds it ended, and queued runs go ahead.
    """
    begun = instance.get_run_records(dg.RunsFilter(statuses=_BEGUN))
    created = instance.get_run_records(dg.RunsFilter(statuses=_CREATED, tags={_SYNC: "1"}))
    ended = []
    for record in (*begun, *created):
        run = record.dagster_run
        lake = run.tags.get(_LAKE)
        if lake is not None and _is_dead(replace(settings, lake_uri=lake), run):
            _end(instance, run, _DIED.format(lake=lake))
            ended.append(run.run_id)
        elif lake is None and _SYNC in run.tags and now - _since(record) > _BEGINNING:
            _end(instance, run, _NEVER_BEGAN)
            ended.append(run.run_id)
    return tuple(ended)


def _is_dead(settings: Settings, run: dg.DagsterRun) -> bool:
    """Return whether a run is known to be dead; what cannot be looked at now, or from this machine, may live."""
    elsewhere = not is_s3(settings.lake_uri) and run.tags.get(_HOST) != socket.gethostname()
    if elsewhere and not Path(settings.lake_uri, RUNS, run.run_id).exists():
        return False
    with suppress(HeapAssetsError):
        lock = run_lock(settings, run.run_id)
        if lock.holder() is None:
            lock.discard()
            return True
    return False


def _since(record: dg.RunRecord) -> datetime:
    return record.create_timestamp if record.start_time is None else datetime.fromtimestamp(record.start_time, UTC)


def _end(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    still = instance.get_run_by_id(run.run_id)
    if still is None or still.is_finished:
        return
    end_run(instance, still, why, {DIED: "true"})


living_executor = in_process_executor_within(
    living,
    description="Executes all steps of a run in its own process, and holds the lock that says that the run lives.",
)
