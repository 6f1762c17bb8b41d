"""The log of a Delta table after a power cut: what is left is a table as it was at some commit, or none.

Here: logs of delta-rs, damaged in drawn ways. Not here: landing again what a log has lost (pipeline/test_damage.py).
"""

import shutil
from pathlib import Path
from random import Random

import pytest
from deltalake import DeltaTable

from heap_assets.lake.delta_log import latest_version, mend_log
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.storage import FolderStorage
from heap_assets_tests.lake.test_landed_table import deliver

COMMITS = 23
DRAWN = 60


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return a lake with a table of 23 commits and two checkpoints; the delivery of each is its version."""
    root = tmp_path_factory.mktemp("lake")
    landed = LandedTable(FolderStorage(root), "signup")
    for version in range(COMMITS):
        deliver(landed, f"{version}-a", {"plan": ["x"]})
    return root


@pytest.fixture
def lake(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "lake")


def log_of(lake: Path) -> Path:
    return lake / "raw/signup/_delta_log"


def commit(version: int) -> str:
    return f"{version:020}.json"


def versions(lake: Path) -> list[int]:
    """Return the versions whose deliveries a mended table has."""
    mend_log(FolderStorage(lake), "raw/signup")
    deliveries = LandedTable(FolderStorage(lake), "signup").deliveries()
    return sorted(int(delivery.partition("-")[0]) for delivery in deliveries)


def test_a_log_in_order_stays_as_it_is(lake):
    before = {file.name: file.read_bytes() for file in log_of(lake).iterdir()}
    assert mend_log(FolderStorage(lake), "raw/signup") == ()
    assert {file.name: file.read_bytes() for file in log_of(lake).iterdir()} == before
    assert not (lake / "torn").exists()


@pytest.mark.parametrize("left", [b"", b'{"commitInfo":{"timestamp', b"\0" * 900, b"7"])
def test_a_torn_entry_and_all_after_it_are_set_aside(lake, left):
    (log_of(lake) / commit(21)).write_bytes(left)
    assert versions(lake) == [*range(21)]
    aside = {file.name[:25] for file in (lake / "torn/raw/signup/_delta_log").iterdir()}
    assert {commit(21), commit(22)} <= aside
    assert DeltaTable(str(lake / "raw/signup")).version() == 20


def test_a_gap_ends_a_log(lake):
    (log_of(lake) / commit(21)).unlink()
    assert versions(lake) == [*range(21)]
    assert deliver(LandedTable(FolderStorage(lake), "signup"), "99-a", {"plan": ["y"]}) == 1
    assert versions(lake) == [*range(21), 99]


@pytest.mark.parametrize("torn", [True, False])
def test_a_checkpoint_that_is_lost_is_not_needed_while_the_entries_are_there(lake, torn):
    for checkpoint in log_of(lake).glob("*.parquet"):
        checkpoint.write_bytes(b"PAR1") if torn else checkpoint.unlink()
    assert versions(lake) == [*range(COMMITS)]


def test_a_checkpoint_leads_on_where_earlier_entries_were_cleaned_up(lake):
    for version in range(19):
        (log_of(lake) / commit(version)).unlink()
    assert versions(lake) == [*range(COMMITS)]
    (log_of(lake) / commit(22)).write_bytes(b"")
    assert versions(lake) == [*range(22)]


def test_a_log_with_nothing_to_begin_with_is_a_table_that_is_not_there(lake):
    (log_of(lake) / commit(0)).unlink()
    for checkpoint in log_of(lake).glob("*.parquet"):
        checkpoint.unlink()
    assert versions(lake) == []
    assert latest_version(FolderStorage(lake), "raw/signup") is None
    assert len([*(lake / "torn/raw/signup/_delta_log").iterdir()]) >= COMMITS - 1  # nothing is thrown away


def test_a_log_that_another_engine_keeps_in_its_own_way_is_left_alone(lake):
    log = log_of(lake)
    (log / f"{22:020}.checkpoint.0000000001.0000000002.parquet").write_bytes(b"")
    (log / commit(5)).unlink()
    assert mend_log(FolderStorage(lake), "raw/signup") == ()


def test_whatever_a_log_has_lost_what_is_left_is_the_table_at_some_commit(whole, tmp_path):
    random = Random(13)
    for number in range(DRAWN):
        lake = shutil.copytree(whole, tmp_path / f"{number}")
        files = sorted(log_of(lake).iterdir())
        for file in random.sample(files, random.choice((1, 2, 3, 8))):
            if random.random() < 0.5:
                file.unlink()
            else:
                file.write_bytes(file.read_bytes()[: random.randrange(file.stat().st_size)])
        left = versions(lake)
        assert left == [*range(len(left))]
        assert mend_log(FolderStorage(lake), "raw/signup") == ()
        shutil.rmtree(lake)
