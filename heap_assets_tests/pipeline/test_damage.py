"""A damaged lake: the next run ends in the same tables, or names a file and a command, and that command does.

Here: what is newest of each kind is taken away, torn, emptied, blanked or put back to what it was before, in drawn
combinations, and one by one. Not here: what a power cut leaves where all is flushed in its order (test_power_cuts.py).
HEAP_TEST_EXAMPLES raises the number of combinations.
"""

import os
import re
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from heap_assets.errors import LakeError
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump, write_dump_files
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.published import limited, published_by, sync_of

COMBINATIONS = max(20, int(os.environ.get("HEAP_TEST_EXAMPLES", "0")))
SHARES = 3


def dumps():
    """Yield as many dumps as a log needs to have a checkpoint, and then some."""
    for n in range(1, 14):
        rows = ((m, m % 3, m, f"2026-01-{1 + m % 28:02}") for m in range(n, n + 3))
        orders = data_file("event_id:long user_id:long session_id:long time", *rows)
        tables = {
            "orders": full("orders", orders) if n == 2 else orders,
            "users": data_file("user_id:long plan", (n, "x")),
        }
        if n % 5 == 0:
            tables["user_migrations"] = data_file("from_user_id:long to_user_id:long", (n - 1, n), (1, 2))
        yield dump(n, tables)


def sync_in(place: Path):
    config = place / "heap.yaml"
    config.write_text('{"conversion_events": ["orders"]}')
    return sync_of(place / "export", place / "home", HEAP_CONFIG=str(config))


def run(sync, *, reland=(), rebuild=False):
    landing = sync.land(reland=reland)
    assert landing.failures == ()
    sync.resolve(rebuild=rebuild)
    sync.analyze()
    sync.publish()
    return published_by(sync)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Return a place with a lake of thirteen dumps as it was before and after the last, and what is published."""
    place = tmp_path_factory.mktemp("whole")
    (place / "export").mkdir()
    with limited(most_small_files=4):
        sync = sync_in(place)
        for one in dumps():
            if one.dump_id == 13:
                run(sync)
                shutil.copytree(place / "home", place / "before")
            write_dump(place / "export", one)
        return place, run(sync_in(place))


@pytest.fixture(autouse=True)
def _nothing_is_flushed(monkeypatch):
    """Spare the disk: no power is cut here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def place(story):
    """Lend a copy of the place."""
    with TemporaryDirectory(prefix="heap-test-") as folder:
        yield copied(story[0], Path(folder))


def copied(whole: Path, into: Path) -> Path:
    """Copy a place; the export stays where it is, for a lake is of one export."""
    for name in ("home", "before"):
        shutil.copytree(whole / name, into / name)
    (into / "export").symlink_to(whole / "export")
    return into


@contextmanager
def another_dump_13(place: Path, rows: tuple[tuple, ...] | None):
    """Have other users in the files of the last dump for a while, or none of its files at all."""
    (last,) = (one for one in dumps() if one.dump_id == 13)
    folder = place / "export" / "sync_13"
    shutil.rmtree(folder)
    if rows is not None:
        listed = {listing.table: listing for listing in last.listings}
        users = replace(listed["users"], files=(replace(listed["users"].files[0], rows=rows),))
        write_dump_files(place / "export", replace(last, listings=(listed["orders"], users)))
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        write_dump_files(place / "export", last)


def newest(files, count: int = 1) -> list[Path]:
    return sorted(files, key=lambda file: file.stat().st_mtime_ns)[-count:]


def parts(home: Path) -> dict[str, list[Path]]:
    """Return the newest files of every kind that a run writes."""
    lake = home / "lake"
    logs = lambda pattern: [file for log in lake.glob("raw/*/_delta_log") for file in newest(log.glob(pattern))]  # noqa: E731
    return {
        "log entry": logs("*.json"),
        "checkpoint": logs("*.checkpoint.parquet"),
        "hint": logs("_last_checkpoint"),
        "data file": [file for table in lake.glob("raw/*") for file in newest(table.glob("*-*/*.parquet"))],
        "older data file": [
            file for table in lake.glob("raw/*") for file in newest(table.glob("*-*/*.parquet"), 4)[:1]
        ],
        "listing": [*lake.glob("raw/*/_files.json")],
        "resolved file": newest(lake.glob("resolved/*"), 6),
        "analytics file": newest(lake.glob("analytics/*"), 6),
        "pack": newest(lake.glob("packed/*"), 2),
        "state": [lake / "state.json"],
        "ledger": [lake / "ledger.json"],
        "previous ledger": [lake / "ledger.previous.json"],
        "published file": [home / "heap.duckdb"],
    }


def gone(file: Path, _: Random) -> None:
    file.unlink()


def torn(file: Path, random: Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: random.randrange(1, len(content))])


def emptied(file: Path, _: Random) -> None:
    file.write_bytes(b"")


def blanked(file: Path, _: Random) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def put_back(file: Path, _: Random) -> None:
    """Leave what was there a run before, or nothing."""
    (home,) = (parent for parent in file.parents if parent.name == "home")
    before = home.parent / "before" / file.relative_to(home)
    file.unlink()
    if before.exists():
        shutil.copy2(before, file)


HARMS = (gone, torn, emptied, blanked, put_back)


def mended(place: Path, said: str):
    """Do what an error says, and return what is published then."""
    assert str(place) in said  # the file
    option, dump_id = re.search(r"heap-assets sync(?: (--[a-z]+))?(?: ([0-9]+))?", said).groups()
    sync = sync_in(place)
    if option == "--recover":
        assert sync.recover_ledger() == ()
    return run(sync, reland=[int(dump_id)] if option == "--reland" else (), rebuild=option == "--rebuild")


def healed(place: Path):
    """Return what the next run publishes, and the option of the command that it had to be mended with."""
    sync = sync_in(place)
    try:
        sync.discover()  # what the command line does first
        return run(sync), ""
    except LakeError as error:
        return mended(place, str(error)), re.search(r"--[a-z]+", str(error))[0]


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_any_combination_of_damages_is_mended(story, share):
    whole, published = story
    random, commands = Random(f"damage {share}"), Counter()
    for _ in range(COMBINATIONS // SHARES):
        with TemporaryDirectory(prefix="heap-test-") as folder:
            place = copied(whole, Path(folder))
            there = {kind: files for kind, files in parts(place / "home").items() if files}
            for kind in random.sample(sorted(there), random.choice((1, 2, 3, 5))):
                for file in random.sample(there[kind], random.randint(1, len(there[kind]))):
                    random.choice(HARMS)(file, random)
            found, command = healed(place)
            assert differences(published, found) == [], kind
            commands[command] += 1
    assert commands[""] > COMBINATIONS // SHARES / 2, commands


@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize("kind", ["log entry", "data file", "resolved file"])
def test_each_newest_file_is_mended_without_a_command(story, place, kind, harm):
    for file in parts(place / "home")[kind]:
        harm(file, Random(1))
    assert differences(story[1], run(sync_in(place))) == []


def test_a_log_that_is_gone_is_landed_again(story, place):
    shutil.rmtree(place / "home/lake/raw/orders/_delta_log")
    sync = sync_in(place)
    assert differences(story[1], run(sync)) == []
    landed = {(table, dump_id) for table, dump_id, _ in sync.last_landing().rows}
    assert landed == {("orders", dump_id) for dump_id in range(2, 14)}  # the second dump was a full resync


@pytest.mark.parametrize("kind", ["log entry", "data file"])
@pytest.mark.parametrize("rebuild", [False, True])
def test_what_can_be_landed_no_more_is_named_and_nothing_is_published(story, place, kind, rebuild):
    (harmed,) = (file for file in parts(place / "home")[kind] if "orders" in str(file))
    harmed.unlink()
    before = (place / "home/heap.duckdb").stat().st_mtime_ns
    with another_dump_13(place, None):
        for _ in range(2):  # it does not go away by itself
            with pytest.raises(LakeError) as error:
                run(sync_in(place), rebuild=rebuild)
            said = str(error.value)
            assert "Dump 13" in said
            assert "table orders" in said
            assert str(harmed if kind == "data file" else harmed.parent) in said
            assert "\n" not in said
    assert (place / "home/heap.duckdb").stat().st_mtime_ns == before
    assert differences(story[1], mended(place, said)) == []


def rotten(file: Path) -> None:
    """Leave a file its size, its beginning and its end."""
    content = bytearray(file.read_bytes())
    content[4 : len(content) // 2] = b"\xff" * (len(content) // 2 - 4)
    file.write_bytes(content)


@pytest.mark.parametrize(("folder", "option"), [("raw/orders", "--reland"), ("resolved", "--rebuild")])
def test_damage_inside_a_file_is_named_with_the_command_that_mends_it(story, place, folder, option):
    lake = place / "home/lake"
    for file in lake.joinpath(folder).glob("*-*/*.parquet" if folder != "resolved" else "*.parquet"):
        if folder == "resolved" or file.parent.name.startswith("13-"):
            rotten(file)
    shutil.rmtree(lake / "packed", ignore_errors=True)
    if option == "--reland":
        lake.joinpath("state.json").unlink()
    with pytest.raises(LakeError) as error:
        run(sync_in(place))
    assert option in str(error.value)
    assert differences(story[1], mended(place, str(error.value))) == []


def test_a_document_that_cannot_be_read_is_an_error_and_not_an_empty_one(place):
    for name in ("ledger.json", "state.json"):
        file = place / "home/lake" / name
        content = file.read_bytes()
        file.unlink()
        file.mkdir()  # as if for want of rights, which a test run by root has
        with pytest.raises(LakeError, match=re.escape(str(file))):
            run(sync_in(place))
        if name == "state.json":
            with pytest.raises(LakeError, match=re.escape(str(file))):
                sync_in(place).registry()
        file.rmdir()
        file.write_bytes(content)


def test_a_registry_that_is_lost_is_told_by_what_has_landed(place):
    for harm in (torn, gone):
        harm(place / "home/lake/state.json", Random(2))
        sync = sync_in(place)
        assert [table.name for table in sync.registry().tables] == ["orders", "user_migrations", "users"]
        sync.discover()
        run(sync)
        assert [table.name for table in sync.registry().tables] == ["orders", "user_migrations", "users"]


def test_files_that_came_again_count_anew_when_their_commit_is_lost(story, place):
    """The commit of a second reading is lost: the log has the first one again, and the listing tells."""
    sync = sync_in(place)
    sync.land(reland=[13])
    orders = place / "home/lake/raw/orders"
    newest((orders / "_delta_log").glob("*.json"))[0].unlink()
    sync = sync_in(place)
    landing = sync.land()
    assert ("orders", 13) in landing.rows
    assert differences(story[1], run(sync)) == []


@pytest.mark.parametrize("ledger", [[], ["ledger.json"], ["ledger.json", "ledger.previous.json"]])
def test_row_ids_that_come_again_for_other_rows_meet_no_state_of_the_old_ones(place, ledger):
    """A delivery is lost with its commit, the ledger may be too, and the export has other rows in its file by now."""
    for lost in (*ledger, "raw/users/_files.json"):
        (place / "home/lake" / lost).unlink()
    newest((place / "home/lake/raw/users/_delta_log").glob("*.json"))[0].unlink()
    (place / "fresh").mkdir()
    (place / "fresh/export").symlink_to(place / "export")
    with another_dump_13(place, ((77, "y"),)):
        found, _ = healed(place)
        assert differences(run(sync_in(place / "fresh")), found) == []


def test_the_log_of_a_table_that_was_emptied_is_mended_too(story, place):
    (last,) = (one for one in dumps() if one.dump_id == 13)
    write_dump(place / "export", replace(last, dump_id=14, listings=(full("users"),), modified=last.modified + 1))
    try:
        whole = run(sync_in(place))
        for entry in newest((place / "home/lake/raw/users/_delta_log").glob("*.json"), 2):
            torn(entry, Random(3))
        (place / "home/lake/raw/users/_files.json").unlink()
        assert differences(whole, run(sync_in(place))) == []
    finally:
        (place / "export/manifests/sync_14.json").unlink()
