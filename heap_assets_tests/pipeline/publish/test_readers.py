"""Readers of the published file and runs never meet: nobody waits, nobody sees half a state, wherever the lake lies.

Here: second processes that hold the file open, and folders with hostile names. Not here: what is in the tables
(test_any_cut.py), killed runs (test_crash.py).
"""

import subprocess
import sys
from contextlib import contextmanager

import duckdb
import pytest

from heap_assets.errors import SettingsError
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, sync_of

EVENT = "event_id:long user_id:long time:long"
FIRST = dump(
    1,
    {
        "users": data_file("user_id:long plan", (1, "gold"), (2, "silver")),
        "signup": data_file(f"{EVENT} plan", (1, 1, 1_717_200_000_000, "gold"), (2, 2, 1_717_200_000_001, None)),
    },
)
SECOND = dump(
    2,
    {
        "users": full("users", data_file("user_id:long plan", (2, "gold"))),
        "user_migrations": data_file("from_user_id:long to_user_id:long", (1, 2)),
        "signup": data_file(f"{EVENT} price:double", (2, 2, 1_717_200_000_009, 2.5)),
        'it\'s "odd" [x]*?=%41': data_file(EVENT, (7, 1, 1_717_200_000_000)),
    },
)
STATE = (
    "SELECT 'users', user_id, NULL, plan FROM main_production.users"
    " UNION ALL SELECT 'resolved', user_id, NULL, plan FROM main_production_migrated.users"
    " UNION ALL SELECT event_table_name, event_id, user_id, time::VARCHAR FROM main_production_migrated.all_events"
    " ORDER BY ALL"
)
READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
for query in sys.stdin:
    print(connection.execute(query).fetchall(), flush=True)
"""


@contextmanager
def reader(path):
    """Lend a second process that has the file open: a function from a query to its rows as text."""
    command = [sys.executable, "-c", READER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(query):
            print(query, file=process.stdin, flush=True)
            return process.stdout.readline()

        yield ask
        process.stdin.close()


@pytest.mark.parametrize("facts_as", ["views", "tables"])
def test_an_open_reader_keeps_its_state_while_runs_go_on_and_a_new_one_sees_the_new_state(tmp_path, facts_as):
    root = tmp_path / "export"
    write_dump(root, FIRST)
    sync = sync_of(root, tmp_path / "home", HEAP_FACTS_AS=facts_as)
    run(sync)
    with reader(sync.settings.duckdb_path) as old:
        before = old(STATE)
        assert "'silver'" in before
        write_dump(root, SECOND)

        run(sync)

        assert old(STATE) == before
        sync.land(reland=[1, 2])
        run(sync, rebuild=True)
        assert old(STATE) == before
        with reader(sync.settings.duckdb_path) as new:
            after = new(STATE)
        assert "'silver'" not in after
        assert old(STATE) == before
    assert differences(published_tables(root), published_by(sync)) == []


def test_rows_that_are_being_read_while_the_file_is_swapped_are_those_of_the_old_file(tmp_path):
    root, count = tmp_path / "export", 60_000
    rows = [(number, number % 1000, 1_717_200_000_000 + number) for number in range(count)]
    write_dump(root, dump(1, {"signup": data_file(EVENT, *rows)}))
    sync = sync_of(root, tmp_path / "home")
    run(sync)
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        reading = connection.execute("SELECT event_id FROM main_production_migrated.all_events")
        read = reading.fetchmany(100)
        write_dump(root, dump(2, {"signup": full("signup", data_file(EVENT, (-1, 1, 0)))}))

        run(sync)

        while some := reading.fetchmany(10_000):
            read += some
    assert sorted(read) == [(number,) for number in range(count)]
    assert published_by(sync)["main_production", "signup"].rows[0][0] == -1


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        'a "quoted" one',
        "..dots.in.it",
        "[ab]",
        "stars*and**more",
        "what?",
        "key=value",
        "two  blanks",
        "größe-東京-🙂",
        "100% +",
        "#1;$HOME {a,b}",
    ],
)
def test_export_lake_and_published_file_may_lie_in_a_folder_of_any_name(tmp_path, name):
    root = tmp_path / name / "export"
    write_dump(root, FIRST)
    run(sync_of(root, tmp_path / name))
    write_dump(root, SECOND)
    sync = sync_of(root, tmp_path / name)

    assert run(sync).failures == ()

    assert differences(published_tables(root), published_by(sync)) == []


@pytest.mark.parametrize("name", ["100%25", "back\\slash"])
def test_a_folder_that_delta_would_misread_is_refused_for_the_lake_and_good_for_the_export(tmp_path, name):
    root = tmp_path / name / "export"
    write_dump(root, FIRST)
    with pytest.raises(SettingsError, match="by HEAP_LAKE_URI or HEAP_HOME"):
        run(sync_of(root, tmp_path / name))

    assert run(sync_of(root, tmp_path / "home")).failures == ()
