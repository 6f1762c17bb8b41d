"""One writer per lake, whatever home or machine it is at: real processes, a folder and a real S3 server.

Here: who holds the lock, who waits, who is refused, whose lock is taken over. Not here: what a sync does in its turn.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from heap_assets.errors import LakeError
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.locking.lease import S3Lease
from heap_assets.lake.locking.lock import held
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, sync_of
from heap_assets_tests.working_copy import ROOT


class Notes(Silence):
    """Keeps what is noted."""

    def __init__(self):
        self.noted = []

    def note(self, text):
        self.noted.append(text)


@pytest.fixture(params=["folder", "s3"])
def lake(request, tmp_path):
    """Lend settings of one lake, without a home."""
    export = tmp_path / "export"
    write_dump(export, dump(1, {}))
    variables = {"HEAP_EXPORT_URI": str(export), "HEAP_LOCK_WAIT": "0s"}
    if request.param == "folder":
        return {**variables, "HEAP_LAKE_URI": str(tmp_path / "lake of both")}
    server, bucket = request.getfixturevalue("s3_server"), request.getfixturevalue("s3_bucket")
    return {**variables, "HEAP_LAKE_URI": f"s3://{bucket}/a lake", "AWS_ENDPOINT_URL": server.endpoint}


def synced(lake, home, **more):
    notes = Notes()
    return Sync(read_settings({**lake, "HEAP_HOME": str(home), **more}), notes), notes


@contextmanager
def holding(lake, home, *arguments):
    """Lend another process that holds the lock from a home of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "heap_assets_tests.lake.locking.lock_holder", *arguments],
        cwd=ROOT,
        env=os.environ | lake | {"HEAP_HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_another_home_is_refused_by_name_and_takes_over_at_once_when_the_holder_is_killed(lake, tmp_path):
    sync, notes = synced(lake, tmp_path / "two")
    with holding(lake, tmp_path / "one") as process:
        with pytest.raises(LakeError, match=rf"another sync is at work: process {process.pid} on .*\(test\)"):
            sync.land()
        assert f"process {process.pid} on" in notes.noted[0]
        process.send_signal(signal.SIGKILL)
        process.wait()
        began = time.monotonic()
        assert sync.land().failures == ()
        assert time.monotonic() - began < 10


def test_whoever_waits_goes_on_when_the_holder_is_done(lake, tmp_path):
    sync, notes = synced(lake, tmp_path / "two", HEAP_LOCK_WAIT="60s")
    with holding(lake, tmp_path / "one") as process:
        threading.Timer(1, lambda: (process.stdin.write("go\n"), process.stdin.flush())).start()
        sync.land()
    assert len(notes.noted) == 1
    assert sync.storage.read("document") == b"by the holder"


def test_a_holder_of_a_folder_that_stands_still_keeps_its_lock(tmp_path):
    write_dump(tmp_path / "export", dump(1, {}))
    lake = {"HEAP_EXPORT_URI": str(tmp_path / "export"), "HEAP_LAKE_URI": str(tmp_path / "lake")}
    sync, _ = synced(lake, tmp_path / "two", HEAP_LOCK_WAIT="2s")
    with holding(lake, tmp_path / "one") as process:
        process.send_signal(signal.SIGSTOP)
        with pytest.raises(LakeError, match=str(process.pid)):
            sync.land()


def lease_of(server, bucket, **more):
    return S3Lease(server.client(), bucket, "a lake/lock.json", place="the lake", **more)


def test_a_lease_that_is_not_renewed_is_taken_over_and_its_holder_writes_nothing_more(s3_server, s3_bucket):
    short = timedelta(seconds=2)
    first, second = (lease_of(s3_server, s3_bucket, lease=short) for _ in range(2))
    assert first.try_acquire("land") is None
    first._stop.set()  # what SIGSTOP does to all threads of a process
    assert second.try_acquire("land").pid == os.getpid()
    time.sleep(4)
    assert second.try_acquire("land") is None
    assert second.others
    second.check()
    with pytest.raises(LakeError, match="has lost the lake's lock"):
        first.check()
    first.release()
    assert second.holder() is not None


def test_a_lease_is_renewed_while_its_holder_lives(s3_server, s3_bucket):
    first, second = (lease_of(s3_server, s3_bucket, lease=timedelta(seconds=3)) for _ in range(2))
    assert first.try_acquire("land") is None
    for _ in range(6):
        time.sleep(1)
        assert second.try_acquire("land") is not None
    first.check()
    first.release()
    assert second.try_acquire("land") is None
    second.release()
    assert first.try_acquire("land") is None
    assert first.others
    first.release()
    assert first.try_acquire("land") is None
    assert not first.others
    first.release()


def test_of_many_who_want_a_lease_at_a_time_one_gets_it(s3_server, s3_bucket):
    leases = [lease_of(s3_server, s3_bucket) for _ in range(8)]
    at_once, got = threading.Barrier(8), []

    def take(one):
        at_once.wait()
        if one.try_acquire("land") is None:
            got.append(one)

    for _ in range(5):
        threads = [threading.Thread(target=take, args=(one,)) for one in leases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        got.pop().release()


class NoConditions:
    """A store that ignores the conditions of a put."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def put_object(self, **put):
        return self._client.put_object(**{name: put[name] for name in put if not name.startswith("If")})


def test_a_store_that_ignores_conditions_is_refused_by_name(s3_server, s3_bucket):
    lock = S3Lease(NoConditions(s3_server.client()), s3_bucket, "lock.json", place="s3://there")
    with pytest.raises(LakeError, match="s3://there: this S3 store does not know conditional writes"):
        lock.try_acquire("land")


def test_a_process_that_was_taken_over_while_it_stood_still_writes_nothing(s3_server, s3_bucket, tmp_path):
    write_dump(tmp_path / "export", dump(1, {}))
    lake = {
        "HEAP_EXPORT_URI": str(tmp_path / "export"),
        "HEAP_LAKE_URI": f"s3://{s3_bucket}/a lake",
        "AWS_ENDPOINT_URL": s3_server.endpoint,
    }
    lock = lease_of(s3_server, s3_bucket, lease=timedelta(seconds=2))
    with holding(lake, tmp_path / "one", "2") as process:
        process.send_signal(signal.SIGSTOP)
        with held(lock, "land", wait=timedelta(seconds=30), note=lambda _: None):
            process.send_signal(signal.SIGCONT)
            process.stdin.write("go\n")
            process.stdin.flush()
            assert "has lost the lake's lock" in process.stdout.readline()
    sync, _ = synced(lake, tmp_path / "two")
    assert sync.storage.read("document") is None
    assert sync.land().failures == ()


EVENTS = "event_id:long user_id:long time"


def test_a_commit_on_files_that_were_listed_before_another_commit_is_refused(tmp_path):
    export = tmp_path / "export"
    lake = {"HEAP_LAKE_URI": str(tmp_path / "lake")}
    write_dump(export, dump(1, {"signup": data_file(EVENTS, (1, 1, "2026-01-01"))}))
    sync = sync_of(export, tmp_path / "one", **lake)
    run(sync)
    table = LandedTable(sync.storage, "signup")
    (file,) = table.files()
    write_dump(export, dump(2, {"signup": data_file(EVENTS, (2, 1, "2026-01-02"))}))
    run(sync_of(export, tmp_path / "two", **lake))

    with pytest.raises(LakeError, match="another process has committed meanwhile; sync again"):
        table.commit("another", [], dump_id=3)

    assert len(LandedTable(sync.storage, "signup").files()) == 2
    assert file in LandedTable(sync.storage, "signup").files()


def test_syncs_of_two_homes_that_take_turns_at_each_step_end_in_the_tables_of_one(lake, tmp_path):
    export = Path(lake["HEAP_EXPORT_URI"])
    homes = [sync_of(export, tmp_path / name, **lake | {"HEAP_LOCK_WAIT": "60s"}) for name in ("one", "two")]
    for number in range(1, 3):
        rows = [(number * 10 + row, row % 3, f"2026-01-0{number}") for row in range(5)]
        users = data_file("user_id:long plan last_modified", (number, f"plan {number}", f"2026-01-0{number}"))
        write_dump(export, dump(number, {"signup": data_file(EVENTS, *rows), "users": users}))
        first, second = homes[number % 2], homes[(number + 1) % 2]
        first.land()
        first.resolve()
        write_dump(export, dump(number + 10, {"signup": data_file(EVENTS, (number, 1, "2026-01-09"))}))
        run(second)
        first.publish()
        assert differences(published_tables(export), published_by(first)) == []
    for sync, rebuild in zip(homes, (False, True), strict=True):
        run(sync, rebuild=rebuild)
        assert differences(published_tables(export), published_by(sync)) == []
    ids = sorted((file.first_row_id, file.rows) for file in LandedTable(sync.storage, "signup").files())
    assert all(first + rows <= following for (first, rows), (following, _) in pairwise(ids))


def test_syncs_of_two_homes_at_the_same_time_land_every_row_once(lake, tmp_path):
    export = Path(lake["HEAP_EXPORT_URI"])
    for number in range(1, 5):
        rows = [(number * 100 + row, row % 7, f"2026-01-0{number}") for row in range(50)]
        write_dump(export, dump(number, {"signup": data_file(EVENTS, *rows)}))
    command = [str(Path(sys.executable).with_name("python")), "-m", "heap_assets_tests.pipeline.victim"]
    homes = [tmp_path / "one", tmp_path / "two"]
    processes = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | lake | {"HEAP_HOME": str(home), "HEAP_LOCK_WAIT": "120s"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for home in homes
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        assert process.communicate()[0].split() == ["land", "resolve", "publish", "done"]
    for home in homes:
        sync = sync_of(export, home, **lake)
        counts = {name: len(table.rows) for name, table in published_by(sync).items() if name[1] == "signup"}
        assert set(counts.values()) == {200}
    sync = sync_of(export, homes[0], **lake)
    assert sum(file.rows for file in LandedTable(sync.storage, "signup").files()) == 200
    run(sync, rebuild=True)
    assert differences(published_tables(export), published_by(sync)) == []
