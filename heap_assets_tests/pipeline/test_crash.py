"""A sync killed with -9 at random moments: nothing is lost, nothing repeated, the published file is whole at all times.

Here: real processes and SIGKILL. A process that has imported everything forks one child for each attempt, so that the
moments fall into the work and not into the imports. Not here: other ways of cutting (test_any_cut.py).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import duckdb
import pytest

from heap_assets.export.sample.calendar import SampleSize, dump_ids
from heap_assets.export.sample.export import write_sample
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, sync_of, tables_in

KILLS = 54
STAGES = ("land", "land", "resolve", "publish")
SIZE = SampleSize(users=25, days=24, dumps=6)

ATTEMPTS = """
import os, sys
from pathlib import Path
from heap_assets.pipeline.sync import Sync
from heap_assets_tests.published import sync_of

root, home, stage = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        sync = sync_of(root, home)
        stage.write_text("land")
        sync.land(reland=[int(dump) for dump in line.split()])
        stage.write_text("resolve")
        sync.resolve(rebuild=True)
        stage.write_text("publish")
        sync.publish()
        stage.write_text("done")
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_a_sync_that_is_killed_again_and_again_ends_in_the_tables_of_the_oracle(tmp_path):
    root, home, stage = tmp_path / "export", tmp_path / "home", tmp_path / "stage"
    ids = dump_ids(SIZE)
    write_sample(root, SIZE, only=ids[:1])
    draws, hits, killed = random.Random(7), Counter(), 0
    home.mkdir()
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", ATTEMPTS, str(root), str(home), str(stage)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as attempts:
        for attempt in range(400):
            if killed >= KILLS:
                break
            if attempt and attempt % 8 == 0 and (place := attempt // 8) < len(ids):
                write_sample(root, SIZE, only=[ids[place]])
            stage.write_text("start")
            print(*(draws.sample(ids[:3], 2) if attempt % 3 == 0 else []), file=attempts.stdin, flush=True)
            pid = int(attempts.stdout.readline())
            wait_for(stage, draws.choice(STAGES), pid)
            time.sleep(draws.uniform(0, 0.4))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            ended = int(attempts.stdout.readline())
            assert ended in {0, -signal.SIGKILL}
            if ended:
                killed += 1
                hits[stage.read_text()] += 1
            assert_whole(home / "heap.duckdb")
        attempts.stdin.close()
    assert killed >= KILLS
    assert set(STAGES) <= set(hits), hits
    print(f"{killed} kills: {dict(hits)}")
    write_sample(root, SIZE, only=ids)

    sync = sync_of(root, home)
    assert run(sync).failures == ()

    assert differences(published_tables(root), published_by(sync)) == []
    assert [path for path in home.iterdir() if path.name.endswith(".tmp")] == []


def assert_whole(path):
    """Open the published file as a reader would, at whatever moment this is, and read all of it."""
    if path.exists():
        with suppress(duckdb.IOException):
            duckdb.connect(path, read_only=True).close()
        assert len(tables_in(path)) > 10


def wait_for(stage, wanted, pid):
    """Wait until the attempt is in this stage, past it, or over."""
    order = ("start", "land", "resolve", "publish", "done")
    with suppress(ProcessLookupError):
        while order.index(stage.read_text() or "start") < order.index(wanted):
            time.sleep(0.005)
            os.kill(pid, 0)
