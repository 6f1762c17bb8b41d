"""The ledger torn, gone, of another version: read as it was, begun again on demand, never taken for an empty one.

Here: the document. Not here: what a run leaves besides (test_state.py), whose export it is
(landing/test_whose_export.py).
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from heap_assets.errors import LakeError
from heap_assets.pipeline.ledger import Ledger, read_ledger
from heap_assets.pipeline.sync import Sync
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, sync_of


def orders(*ids: int) -> object:
    return data_file("event_id:long user_id:long session_id:long time", *((n, n, n, "2026-01-01") for n in ids))


@dataclass
class Lake:
    """An export of which two dumps have landed, one by one, and where its ledger lies."""

    root: Path
    home: Path

    def sync(self) -> Sync:
        return sync_of(self.root, self.home)

    def deliver(self, dump_id: int) -> None:
        write_dump(self.root, dump(dump_id, {"orders": orders(dump_id, dump_id + 1)}))

    @property
    def ledger(self) -> Path:
        return self.home / "lake" / "ledger.json"

    @property
    def previous(self) -> Path:
        return self.home / "lake" / "ledger.previous.json"

    def assert_as_told(self) -> None:
        assert differences(published_tables(self.root), published_by(self.sync())) == []


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(tmp_path / "export", tmp_path / "home")
    for dump_id in (1, 2):
        made.deliver(dump_id)
        run(made.sync())
    return made


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def other_keys(path: Path) -> None:
    path.write_text(json.dumps({f"{name}_": value for name, value in json.loads(path.read_text()).items()}))


def one_key_less(path: Path) -> None:
    left = json.loads(path.read_text())
    del left["dumps"]
    path.write_text(json.dumps(left))


HARMS = [torn, emptied, other_keys, one_key_less, Path.unlink]


@pytest.mark.parametrize("harmed", HARMS)
def test_a_ledger_that_is_harmed_is_read_as_it_was_a_landing_ago_and_lands_nothing_twice(lake, harmed):
    harmed(lake.ledger)
    assert set(lake.sync().ledger().dumps) == {1}
    landing = run(lake.sync())
    assert (landing.taken, dict(landing.rows), landing.failures) == ((2,), {}, ())
    lake.assert_as_told()
    lake.deliver(3)
    assert run(lake.sync()).taken == (3,)
    lake.assert_as_told()


@pytest.mark.parametrize("harmed", [torn, Path.unlink])
def test_without_any_ledger_that_can_be_read_a_run_says_so_and_the_command_that_it_names_mends_it(lake, harmed):
    harmed(lake.ledger)
    harmed(lake.previous)
    for asked in (lake.sync().ledger, lake.sync().pending, lake.sync().land):
        with pytest.raises(LakeError, match=r"ledger\.json .*heap-assets sync --recover"):
            asked()
    assert lake.sync().recover_ledger() == ()
    landing = run(lake.sync())
    assert (landing.taken, dict(landing.rows), landing.failures) == ((1, 2), {}, ())
    lake.assert_as_told()


def test_dumps_whose_manifests_are_gone_are_named_when_the_ledger_begins_again(lake):
    for path in (lake.ledger, lake.previous):
        torn(path)
    (lake.root / "manifests" / "sync_1.json").unlink()
    assert lake.sync().recover_ledger() == (1,)
    assert lake.ledger.with_name("ledger.json.damaged").exists()


def test_a_later_version_is_refused_and_stays_as_it_is(lake):
    left = json.loads(lake.ledger.read_text())
    lake.ledger.write_text(json.dumps({**left, "version": 99, "more": 1}))
    before = lake.ledger.read_bytes()
    with pytest.raises(LakeError, match=r"ledger\.json was written by a later heap_assets \(version 99\)"):
        lake.sync().land()
    assert lake.ledger.read_bytes() == before


@pytest.mark.parametrize("before", [None, Sync.accept_moved_export, Sync.recover_ledger])
def test_the_first_version_is_read_and_its_dumps_are_read_again_once_whatever_came_before(lake, before):
    left = json.loads(lake.ledger.read_text())
    assert (left.pop("version"), left.pop("export"), left.pop("outdated")) == (2, str(lake.root), False)
    lake.ledger.write_text(json.dumps(left))
    assert set(lake.sync().ledger().dumps) == {1, 2}
    assert lake.sync().ledger().export is None
    if before:
        before(lake.sync())
    assert set(run(lake.sync()).rows) == {("orders", 1), ("orders", 2)}
    assert json.loads(lake.ledger.read_text())["export"] == str(lake.root)
    lake.assert_as_told()
    assert run(lake.sync()).rows == {}


def test_a_read_that_fails_is_not_an_empty_ledger(lake):
    lake.ledger.unlink()
    lake.ledger.mkdir()
    with pytest.raises(LakeError, match=r"ledger\.json cannot be read: Is a directory"):
        lake.sync().ledger()


def test_a_lake_in_which_nothing_has_landed_has_an_empty_ledger(tmp_path):
    sync = sync_of(tmp_path, tmp_path / "home")
    assert read_ledger(sync.storage) == Ledger()


def test_a_first_run_that_took_no_dump_leaves_a_ledger_and_the_next_goes_on(tmp_path):
    made = Lake(tmp_path / "export", tmp_path / "home")
    files = {"orders": orders(1), "signup": orders(2)}
    write_dump(made.root, dump(1, {**files, "signup": data_file("a:long", (1,), state="missing")}))
    assert made.sync().land().failures
    assert (made.sync().ledger().export, dict(made.sync().ledger().dumps)) == (str(made.root), {})
    write_dump(made.root, dump(1, files))
    assert run(made.sync()).taken == (1,)
    made.assert_as_told()
