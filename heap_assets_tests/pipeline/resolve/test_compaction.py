"""Packs: small files read as one, never anything but what their deliveries say."""

from pathlib import Path

import duckdb
import polars as pl
import pytest

from heap_assets.pipeline.resolve import compaction as packing
from heap_assets.pipeline.resolve import current_tables as current
from heap_assets.schema.stored_columns import stored_name
from heap_assets.schema.value_types import ValueType
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import edit_state, limited, run, sync_of


def orders(*ids: int, plan: str = "gold"):
    columns = "event_id:long user_id:long session_id:long time plan"
    return data_file(columns, *((one, 1, 1, "2026-01-01", plan) for one in ids))


@pytest.fixture(autouse=True)
def _early():
    """Compact as soon as there are three files."""
    with limited(most_small_files=2):
        yield


class Place:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "export").mkdir()

    def deliver(self, number: int, file, attempt: int = 0) -> None:
        write_dump(self.folder / "export", dump(number, {"orders": file}, attempt=attempt))

    def run(self) -> "Place":
        self.sync = sync_of(self.folder / "export", self.folder / "home")
        run(self.sync)
        return self

    def packs(self) -> list[Path]:
        return sorted((self.folder / "home" / "lake" / "packed").glob("*.parquet"))

    def read(self) -> list[str]:
        """Return the files that the published views read."""
        with duckdb.connect(self.sync.settings.duckdb_path, read_only=True) as connection:
            (sql,) = connection.execute(
                "SELECT sql FROM duckdb_views() WHERE schema_name = '_heap_assets' AND view_name = 'files/orders'"
            ).fetchone()
        return [part.split("/")[-1] for part in sql.split("'") if part.endswith(".parquet")]

    def published(self) -> list[tuple]:
        with duckdb.connect(self.sync.settings.duckdb_path, read_only=True) as connection:
            query = "SELECT event_id, plan FROM main_production_migrated.orders ORDER BY ALL"
            return connection.execute(query).fetchall()


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_small_files_are_packed_once_there_are_many_and_packs_are_packed_again(place):
    place.deliver(1, orders(1))
    place.deliver(2, orders(2))
    assert (len(place.run().read()), place.packs()) == (2, [])
    place.deliver(3, orders(3))
    assert place.run().read() == [pack.name for pack in place.packs()]
    place.deliver(4, orders(4))
    assert len(place.run().read()) == 2
    place.deliver(5, orders(5))
    assert len(place.run().read()) == 1
    assert len(place.packs()) == 2  # the first one is left for whoever reads the file published before
    assert [one for one, _ in place.published()] == [1, 2, 3, 4, 5]


def test_a_large_delivery_stays_as_it_is(place):
    for number in (1, 2, 3, 4):
        place.deliver(number, orders(number))
    with limited(small_bytes=1):
        place.run()
    assert (len(place.read()), place.packs()) == (4, [])


def test_a_pack_is_left_as_soon_as_one_of_its_dumps_is_delivered_again(place):
    for number in (1, 2, 3):
        place.deliver(number, orders(number))
    place.run()
    place.deliver(2, orders(22), attempt=2)
    place.run()
    assert [one for one, _ in place.published()] == [1, 3, 22]
    assert len(place.read()) == 1
    (before, now) = (pl.read_parquet(pack)["event_id$long"].sort().to_list() for pack in by_age(place.packs()))
    assert (before, now) == ([1, 2, 3], [1, 3, 22])


def by_age(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda file: file.stat().st_mtime_ns)


def test_a_full_resync_leaves_nothing_of_a_pack(place):
    for number in (1, 2, 3):
        place.deliver(number, orders(number))
    place.run()
    write_dump(place.folder / "export", dump(4, {"orders": full("orders", orders(9))}))
    assert place.run().published() == [(9, "gold")]
    assert [name for name in place.read() if name in {pack.name for pack in place.packs()}] == []


def test_columns_that_come_later_are_null_in_what_came_before(place):
    place.deliver(1, data_file("event_id:long user_id:long session_id:long time", (1, 1, 1, "2026-01-01")))
    place.deliver(2, orders(2))
    place.deliver(3, orders(3, plan="blue"))
    assert place.run().published() == [(1, None), (2, "gold"), (3, "blue")]
    place.deliver(4, data_file("event_id:long user_id:long session_id:long time extra", (4, 1, 1, "2026-01-01", "x")))
    assert place.run().published() == [(1, None), (2, "gold"), (3, "blue"), (4, None)]


def test_without_the_memory_of_packs_the_files_themselves_are_read(place):
    for number in (1, 2, 3):
        place.deliver(number, orders(number))
    place.run()
    edit_state(place.folder / "home", "compacted", lambda _: {"orders": 3})
    assert [one for one, _ in place.run().published()] == [1, 2, 3]
    assert len(place.packs()) == 2


def test_a_rebuild_reads_no_pack_of_an_earlier_run(place):
    for number in (1, 2, 3):
        place.deliver(number, orders(number))
    (pack,) = place.run().packs()
    pl.read_parquet(pack).with_columns(pl.lit("wrong").alias(stored_name("plan", ValueType.TEXT))).write_parquet(pack)
    assert {plan for _, plan in place.run().published()} == {"wrong"}
    run(place.sync, rebuild=True)
    assert place.published() == [(1, "gold"), (2, "gold"), (3, "gold")]
    assert pack.name not in place.read()


def test_a_year_of_deliveries_is_looked_through_once(place, monkeypatch):
    for number in range(1, 41):
        place.deliver(number, orders(number))
    place.run()
    table = place.sync.current().tables["orders"]
    looked = []
    monkeypatch.setattr(
        current, "_by_delivery", lambda files, look=current._by_delivery: looked.append(1) or look(files)
    )
    list(packing._small(table, (), 1))
    assert len(looked) == 1
