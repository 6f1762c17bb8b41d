"""Power cuts: whatever one leaves of a lake, what had landed is there, and the next run ends in the same tables.

Drawn from what real syncs flush, moment by moment (power_cut.py). The data files of every dump that the ledger counts
are taken out of the export first, so that nothing that had landed can be landed again. Here: 200 power cuts, each
followed by a landing and a resolution, every twentieth by a publication. HEAP_TEST_EXAMPLES raises their number.
Not here: damage that no power cut leaves behind a disk that keeps its word (test_damage.py).
"""

import os
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from heap_assets.pipeline.resolve.merged_users import by_merged_user
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.power_cut import Moment, left_by_power_cut, recorded
from heap_assets_tests.published import limited, published_by, sync_of

CUTS = max(200, int(os.environ.get("HEAP_TEST_EXAMPLES", "0")))
SHARES = 4
DAY = "2026-01-{:02}"


def orders(*ids: int, extra: str = ""):
    rows = ((n, n % 4, n, DAY.format(1 + n % 28), *(["x"] if extra else [])) for n in ids)
    return data_file(f"event_id:long user_id:long session_id:long time {extra}", *rows)


def users(*ids: int):
    return data_file("user_id:long last_modified plan", *((n, DAY.format(n), "gold") for n in ids))


def merges(*pairs: tuple[int, int]):
    return data_file("from_user_id:long to_user_id:long", *pairs)


RUNS = (
    (dump(1, {"orders": orders(1, 2, 3), "users": users(1, 2, 3)}),),
    (dump(2, {"orders": orders(3, 4, extra="plan"), "user_migrations": merges((1, 2))}), dump(3, {"users": users(2)})),
    (dump(4, {"orders": full("orders", orders(5, 6, 7)), "users": users(1, 4)}),),
    (dump(5, {"orders": orders(7, 8), "user_migrations": merges((1, 2), (3, 2))}),),
    (dump(6, {"orders": orders(8, 9), "signup": orders(1)}), dump(7, {"orders": orders(10)})),
)


@dataclass(frozen=True)
class Cut:
    """A moment of a run, and the dumps that had arrived by then."""

    moment: Moment
    arrived: int


def written(root: Path, runs: int) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for dumps in RUNS[:runs]:
        for one in dumps:
            write_dump(root, one)
    return root


def sync_in(root: Path, home: Path):
    home.mkdir(parents=True, exist_ok=True)
    (home / "heap.yaml").write_text("{}")
    return sync_of(root, home, HEAP_CONFIG=str(home / "heap.yaml"))


def told(sync):
    """Return who is whom, and the rows of every table that count, as recorded and with users resolved."""
    resolution = sync.resolve()
    found = {"identity_map": sorted(resolution.identity_map.rows())}
    for name, table in resolution.tables.items():
        found[name] = sorted(map(repr, table.current.rows(table.superseded).collect().rows(named=True)))
        found[f"{name}, migrated"] = table.current.rows(table.migrated_superseded).collect().height
    if resolution.users is not None:
        table_schema = resolution.tables["users"].current.table_schema
        merged = by_merged_user(table_schema).live(sync.storage, resolution.users.layers).collect()
        found["merged users"] = sorted(map(repr, merged.rows(named=True)))
    return found


@contextmanager
def few_small_files():
    with limited(most_small_files=2):
        yield


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Return the export, every moment of five runs and a maintenance, and what a fresh lake tells after each run."""
    place = tmp_path_factory.mktemp("story")
    home, cuts, expected, published = place / "home", [], {}, {}
    with few_small_files():
        for runs in range(1, len(RUNS) + 1):
            root = written(place / "export", runs)
            sync = sync_in(root, home)
            with recorded(home) as recorder:
                landing = sync.land()
                sync.resolve()
                sync.analyze()
                sync.publish()
                if runs == len(RUNS) - 1:
                    sync.maintain()
            assert landing.failures == ()
            cuts += [Cut(moment, runs) for moment in recorder.moments]
            fresh = sync_in(root, place / f"fresh{runs}")
            fresh.land()
            expected[runs] = told(fresh)
            fresh.publish()
            published[runs] = published_by(fresh)
            assert told(sync) == expected[runs]
    return place / "export", cuts, expected, published


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_what_had_landed_survives_a_power_cut_and_the_next_run_ends_in_the_same_tables(story, share, monkeypatch):
    root, cuts, expected, published = story
    random = Random(f"power {share}")
    landed = Counter()
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the power is cut once
    with few_small_files():
        for number in range(CUTS // SHARES):
            cut = random.choice(cuts)
            with TemporaryDirectory(prefix="heap-test-") as folder:
                home = Path(folder, "home")
                shutil.rmtree(root)
                written(root, cut.arrived)
                left_by_power_cut(cut.moment, random, home)
                sync = sync_in(root, home)
                counted = sync.ledger().dumps
                for dump_id in counted:
                    shutil.rmtree(root / f"sync_{dump_id}")
                landed[len(counted)] += 1

                assert sync.land().failures == ()

                assert told(sync) == expected[cut.arrived]
                if number % 20 == 0:
                    sync.publish()
                    assert differences(published[cut.arrived], published_by(sync)) == []
    assert len(landed) > 3, landed  # cuts before, between and after the ledger's changes
