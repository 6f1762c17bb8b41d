"""Clients of the published file that write into it: killed, still open, writing after the swap; links; bad places.

Real second processes of DuckDB 2 and, with HEAP_TEST_CLIENTS=required, of 1.x releases. Here: what they leave and what
the next sync and reader see. Not here: what all releases read (test_old_releases.py).
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from heap_assets.errors import PublishedFileError, SettingsError
from heap_assets.pipeline.publish.published import refuse_unusable_place
from heap_assets.targets.duckdb.file import new_file
from heap_assets.targets.duckdb.place import refuse_place
from heap_assets.targets.duckdb.reader import opened
from heap_assets_tests.configurations import configuration_of
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import run, sync_of
from heap_assets_tests.targets.duckdb.releases import Release, releases

CLIENT = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
for line in sys.stdin:
    try:
        connection.execute(line)
        print("done", flush=True)
    except duckdb.Error as error:
        print("failed", flush=True)
os._exit(1)  # as if killed: no checkpoint
"""


class Client:
    """A second process that has the file open for writing."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, statement: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{statement}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@contextmanager
def client(release: Release, path: Path) -> Iterator[Client]:
    process = subprocess.Popen(
        [release.python, "-c", CLIENT, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield Client(process)
        finally:
            process.kill()


@pytest.fixture(params=["2 file", "1.1 file", "2 link", "1.4 link"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Release]:
    """Lend a place for the file, or a link to one in another folder, and a release for its clients."""
    series, kind = request.param.split()
    if kind == "link":
        (tmp_path / "there").mkdir()
        (tmp_path / "heap.duckdb").symlink_to("there/real.duckdb")
    return tmp_path / "heap.duckdb", releases(series)


def publish(path: Path, value: int) -> None:
    with new_file(path) as file:
        file.add_schema("s")
        file.add_table("s", "t", f"SELECT {value} AS x")
        file.add_view("s", "v", "SELECT x FROM s.t")


def seen(path: Path, release: Release) -> str:
    """Return what a new reader of a release sees: the view, and every table."""
    query = "SELECT (SELECT x FROM s.v), (SELECT string_agg(table_name, ' ' ORDER BY table_name) FROM duckdb_tables())"
    return release.ask(path, query)


def test_the_log_of_a_killed_client_does_not_reach_the_next_file(place):
    path, release = place
    publish(path, 1)
    with client(release, path) as one:
        assert one.run("CREATE TABLE mine AS SELECT 1") == "done"
        assert one.run("DROP VIEW s.v") == "done"
    assert [*path.parent.rglob("*.wal")]
    publish(path, 2)
    assert not [*path.parent.rglob("*.wal")]
    for reader in (release, releases("2")):
        assert seen(path, reader) == "(2, 't views')"


def test_a_client_that_is_still_open_neither_stops_the_next_file_nor_is_seen_in_it(place):
    path, release = place
    publish(path, 1)
    with client(release, path) as one:
        assert one.run("CREATE TABLE mine AS SELECT 1") == "done"
        publish(path, 2)
        for reader in (release, releases("2")):
            assert seen(path, reader) == "(2, 't views')"
        publish(path, 3)
        assert seen(path, release) == "(3, 't views')"
    publish(path, 4)
    assert seen(path, release) == "(4, 't views')"


def test_a_client_that_begins_to_write_after_the_swap_is_not_seen_in_the_next_file(place):
    path, release = place
    publish(path, 1)
    with client(release, path) as one:
        assert one.run("SELECT 1") == "done"
        publish(path, 2)
        one.run("CREATE TABLE mine AS SELECT 1")
        for reader in (release, releases("2")):
            assert seen(path, reader) == "(2, 't views')"
        publish(path, 3)
        one.run("CREATE TABLE mine AS SELECT 1")
        assert seen(path, releases("2")) == "(3, 't views')"
    publish(path, 4)
    assert seen(path, release) == "(4, 't views')"
    assert {file.name for file in path.resolve().parent.iterdir() if file.is_file()} == {path.resolve().name}
    with client(release, path) as another:
        assert another.run("CREATE TABLE mine AS SELECT 1") == "done"


def test_what_was_there_of_other_people_is_told(tmp_path):
    path = tmp_path / "heap.duckdb"
    publish(path, 1)
    with duckdb.connect(path) as connection:
        connection.execute("CREATE SCHEMA mine; CREATE TABLE mine.t AS SELECT 1; CREATE VIEW s.mine AS SELECT 1")
    with new_file(path) as file:
        file.add_schema("s")
    assert file.replaced == ["the table mine.t", "the view s.mine"]
    with new_file(path) as file:
        file.add_schema("s")
    assert file.replaced == []


def test_a_sync_says_what_of_other_people_is_gone(tmp_path, capsys):
    write_dump(tmp_path / "export", dump(1, {"signup": data_file("event_id:long user_id:long time", (1, 1, None))}))
    sync = sync_of(tmp_path / "export", tmp_path / "home")
    run(sync)
    with client(releases("2"), sync.settings.duckdb_path) as one:
        one.run("CREATE SCHEMA mine")
    run(sync)
    assert sync.last_publication().replaced == ("the log of a client that wrote into it",)
    assert [table.name for table in sync.last_publication().synced] == ["signup"]
    with opened(sync.settings.duckdb_path) as connection:
        assert connection.execute("SELECT event_table_name FROM main_production._sync_info").fetchall() == [("signup",)]


def test_a_reader_of_ours_reads_what_was_published_while_a_client_writes(tmp_path):
    path = tmp_path / "heap.duckdb"
    publish(path, 1)
    with client(releases("2"), path) as one:
        assert one.run("DROP VIEW s.v") == "done"
        with opened(path) as connection:
            assert connection.execute("SELECT x FROM s.v").fetchall() == [(1,)]
    with opened(path) as connection:
        assert connection.execute("SELECT x FROM s.v").fetchall() == [(1,)]


def test_a_file_that_cannot_be_read_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "heap.duckdb"
    with pytest.raises(PublishedFileError, match="make it with: heap-assets sync"), opened(path):
        pass
    path.write_text("garbage" * 1000)
    with pytest.raises(PublishedFileError, match=r"heap\.duckdb cannot be read .* sync again"), opened(path):
        pass


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "heap.duckdb").symlink_to("a/next.duckdb")
    (tmp_path / "a" / "next.duckdb").symlink_to(tmp_path / "b" / "real.duckdb")
    for value in (1, 2):
        publish(tmp_path / "heap.duckdb", value)
        assert (tmp_path / "heap.duckdb").readlink() == Path("a/next.duckdb")
        assert not (tmp_path / "b" / "real.duckdb").is_symlink()
        assert releases("2").ask(tmp_path / "b" / "real.duckdb", "SELECT x FROM s.v") == f"({value},)"
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"real.duckdb"}


def test_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "a.duckdb").symlink_to("b.duckdb")
    (tmp_path / "b.duckdb").symlink_to("a.duckdb")
    with pytest.raises(SettingsError, match="whose links lead in a circle"):
        refuse_place(tmp_path / "a.duckdb", [])


@pytest.mark.parametrize(
    "name",
    ["heap_analytics.duckdb", "acme_test.duckdb", "ACME_Test_Migrated.db", "other.v2.duckdb", "_heap_assets.duckdb"],
)
def test_a_name_that_is_a_schema_of_the_file_is_refused(tmp_path, name):
    configuration = configuration_of({"project": "acme", "environment": "test"})
    with pytest.raises(SettingsError, match=r"HEAP_DUCKDB_PATH is .* has a schema"):
        refuse_unusable_place(tmp_path / name, configuration)
    (tmp_path / "good.duckdb").symlink_to(name)
    with pytest.raises(SettingsError, match=r"HEAP_DUCKDB_PATH is .* has a schema"):
        refuse_unusable_place(tmp_path / "good.duckdb", configuration)


def test_other_names_are_taken_even_those_that_duckdb_uses_itself(tmp_path):
    configuration = configuration_of({"project": "acme", "environment": "test"})
    names = ("main", "temp", "system", "memory", "information_schema", "pg_catalog", "acme", "heap", "main_production")
    for name in names:
        path = tmp_path / f"{name}.duckdb"
        refuse_unusable_place(path, configuration)
        publish(path, 1)
        assert releases("2").ask(path, "SELECT x FROM s.v") == "(1,)"


def test_a_file_that_is_mounted_by_itself_is_refused_before_anything_lands(tmp_path):
    write_dump(tmp_path / "export", dump(1, {"signup": data_file("event_id:long user_id:long time", (1, 1, None))}))
    (tmp_path / "outside.duckdb").touch()
    (tmp_path / "in it").mkdir()
    inside = tmp_path / "in it" / "heap.duckdb"
    inside.touch()
    mounted = subprocess.run(["mount", "--bind", tmp_path / "outside.duckdb", inside], capture_output=True, check=False)
    if mounted.returncode:
        (pytest.fail if os.environ.get("HEAP_TEST_MOUNTS") == "required" else pytest.skip)(str(mounted.stderr))
    try:
        sync = sync_of(tmp_path / "export", tmp_path / "home", HEAP_DUCKDB_PATH=str(inside))
        for step in (sync.discover, sync.land):
            with pytest.raises(SettingsError, match="mount the folder"):
                step()
    finally:
        subprocess.run(["umount", inside], check=True)
    assert not (tmp_path / "home" / "lake").exists()
    assert sys.platform == "linux"
