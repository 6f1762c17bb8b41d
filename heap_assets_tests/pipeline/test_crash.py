"""Runs that are killed with SIGKILL at random moments, and run again: nothing is lost, doubled or half published.

Here: a real process on an export that grows dump by dump, and a reader that looks after each kill. Not here: faults
of the export (test_any_cut.py). HEAP_TEST_EXAMPLES raises the number of kills.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from heap_assets_tests.exports.pools import DAY, FIRST, SECOND
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import configured, published_by, run, sync_of

KILLS = max(15, int(os.environ.get("HEAP_TEST_EXAMPLES", "0")))
STEPS = ("land", "resolve", "publish")
_ROOT = Path(__file__).parents[2]


def drawn_dump(random, dump_id, **more):
    """Return a dump in which every user has events, some come again, and now and then a table comes whole."""

    def events(columns, *values):
        rows = [
            (random.randrange(60), random.randrange(20), *(random.randrange(9) for _ in values), _moment(random))
            for _ in range(random.randrange(1, 30))
        ]
        return data_file(f"event_id:long user_id:long {columns} time:long", *rows, name=f"{random.random()}.avro")

    users = [(random.randrange(20), random.choice("abc"), _moment(random)) for _ in range(10)]
    merges = [(random.randrange(20), random.randrange(20), _moment(random)) for _ in range(dump_id % 7)]
    tables = {
        "users": data_file("user_id:long plan last_modified:long", *users),
        "sessions": events("session_id:long", "session_id"),
        "pageviews": (events("session_id:long", "session_id"), events("price:long", "price")),
        "signup": events("Price:long", "Price"),
    }
    if random.random() < 0.4:
        tables["user_migrations"] = data_file("from_user_id:long to_user_id:long time:long", *merges)
    if random.random() < 0.2:
        tables["signup"] = full("signup", tables["signup"])
    return dump(dump_id, tables, **more)


def _moment(random):
    return (FIRST + random.randrange(30) * DAY) // 1000


def arriving(random, count):
    """Yield dumps as they arrive: mostly the next one, now and then an earlier one in another content."""
    for dump_id in range(1, count + 1):
        if dump_id > 3 and random.random() < 0.25:
            earlier = random.randrange(1, dump_id)
            yield drawn_dump(random, earlier, attempt=dump_id, modified=FIRST + dump_id * DAY + SECOND)
        else:
            yield drawn_dump(random, dump_id)


@contextmanager
def started_processes(environment):
    """Lend a function that hands out a process that has its imports behind it, while the next one is starting."""
    command = [sys.executable, "-m", "heap_assets_tests.pipeline.victim"]

    def start():
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=_ROOT, env=os.environ | environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )

    waiting = [start()]

    def following():
        waiting.append(start())
        return waiting.pop(0)

    try:
        yield following
    finally:
        for process in waiting:
            ended(process)


def ended(process):
    """Kill a process and return the last step that it had begun."""
    process.kill()
    said, errors = process.communicate()
    assert errors == ""
    return (said.split() or [""])[-1]


def killed_in(process, aim, delay):
    """Let a process sync, kill it so many seconds after a step began, and return the step that it was in."""
    said = ""
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    while said != aim:
        said = process.stdout.readline().strip()
    time.sleep(delay)
    return ended(process) or said


def seconds_of_steps(sync):
    """Return how long each step of a sync takes."""
    seconds = {}
    for step in STEPS:
        began = time.monotonic()
        getattr(sync, step)()
        seconds[step] = time.monotonic() - began
    return seconds


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_is_mended_by_the_next_one(tmp_path):
    random = Random(20)
    root, home = tmp_path / "export", tmp_path / "home"
    write_dump(root, drawn_dump(random, 0))
    sync = sync_of(root, home)
    seconds = seconds_of_steps(sync)
    environment = {"HEAP_EXPORT_URI": str(root), "HEAP_HOME": str(home), "HEAP_CONFIG": str(configured(home))}
    published = published_tables(root)
    waiting = []
    hits = Counter()

    with started_processes(environment) as process:
        for new in arriving(random, KILLS // len(STEPS)):
            write_dump(root, new)
            waiting.append(published_tables(root))
            for aim in STEPS:
                hits[killed_in(process(), aim, random.random() * seconds[aim])] += 1
                found = published_by(sync)
                while differences(published, found):
                    published = waiting.pop(0)  # never an older state: those are gone from the list

    assert hits.total() >= KILLS // len(STEPS) * len(STEPS)
    assert all(hits[step] for step in STEPS), hits
    run(sync)
    assert differences(published_tables(root), published_by(sync)) == []
    run(sync, rebuild=True)
    assert differences(published_tables(root), published_by(sync)) == []
    assert [path.name for path in home.iterdir() if path.name.startswith(".")] == []
    print(f"killed {dict(hits)}")
