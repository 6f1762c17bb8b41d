"""Landed tables: deliveries are committed as one, replaced as one, and known without opening a row.

Here: one table in a folder. Not here: what a row means (transforms/), which deliveries count
(sources/heap/test_truth.py).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from heap_assets.lake import landed_table
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.listing import LandedFile
from heap_assets.lake.parquet_footer import footer_of
from heap_assets.lake.storage import FolderStorage
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID

Columns = Mapping[str, list]


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "lake [1]*")


def table(storage: FolderStorage, name: str = "signup") -> LandedTable:
    return LandedTable(storage, name)


def new_file(landed: LandedTable, delivery: str, columns: Columns, *, first: int, number: str = "0") -> LandedFile:
    """Write a file of a delivery as a decoder does, with row ids from ``first`` on."""
    dump_id = int(delivery.partition("-")[0])
    height = max(len(values) for values in columns.values())
    place = landed.new_file(delivery, number, first)
    rows = pl.DataFrame({ROW_ID: range(first, first + height), DUMP_ID: [dump_id] * height, **columns})
    rows.cast({ROW_ID: pl.Int64, DUMP_ID: pl.Int64}).write_parquet(place.written)
    return place.kept(landed.storage, footer_of(place.written))


def deliver(landed: LandedTable, delivery: str, *files: Columns) -> int:
    """Commit a delivery of these files."""
    written, first = [], landed.next_row_id()
    for number, columns in enumerate(files):
        written.append(new_file(landed, delivery, columns, first=first, number=f"{number}"))
        first += len(next(iter(columns.values())))
    return landed.commit(delivery, written, dump_id=int(delivery.partition("-")[0]))


def rows(landed: LandedTable, *columns: str, files: tuple[LandedFile, ...] | None = None) -> list[tuple]:
    """Return columns of the table's rows, in the order of their ids."""
    scanned = landed.scan(
        [file.path for file in (landed.files() if files is None else files)], dict.fromkeys((*columns, ROW_ID))
    )
    return scanned.sort(ROW_ID).select(columns).collect().rows()


def test_a_table_that_nothing_was_delivered_of_is_empty(storage):
    landed = table(storage)
    assert landed.files() == ()
    assert landed.deliveries() == frozenset()
    assert landed.next_row_id() == 0
    assert rows(landed, ROW_ID, "plan", "age$long") == []
    assert landed.scan((), ["plan", "age$long", "at$time"]).collect_schema() == {
        "plan": pl.String,
        "age$long": pl.Int64,
        "at$time": pl.Datetime("us"),
    }


def test_a_delivery_counts_once_it_is_committed(storage):
    landed = table(storage)
    place = new_file(landed, "1-a", {"plan": ["gold", None]}, first=0)
    assert table(storage).files() == ()
    assert landed.commit("1-a", [place], dump_id=1) == 2
    for seen in (landed, table(storage)):
        assert seen.deliveries() == {"1-a"}
        assert rows(seen, ROW_ID, DUMP_ID, "plan") == [(0, 1, "gold"), (1, 1, None)]


def test_what_a_delivery_holds_is_known_without_opening_a_file(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["gold", None, None], "user_id$long": [5, 6, 7]}, {"plan": pl.Series([None, None])})
    size = {file.path: Path(storage.address(file.path)).stat().st_size for file in landed.files()}
    for file in landed.files():
        Path(storage.address(file.path)).unlink()
    first, second = sorted(table(storage).files(), key=lambda file: file.first_row_id)
    assert (first.delivery, first.rows, first.first_row_id) == ("1-a", 3, 0)
    assert (second.rows, second.first_row_id) == (2, 3)
    assert first.nulls["plan"] == 2
    assert first.nulls["user_id$long"] == 0
    assert first.has_values("plan")
    assert not second.has_values("plan")
    assert not second.has_values("user_id$long")
    assert {file.path: file.size for file in (first, second)} == size


def test_a_file_without_rows_is_committed_with_its_columns(storage):
    landed = table(storage)
    assert deliver(landed, "1-a", {"plan": pl.Series([], dtype=pl.String)}) == 0
    (file,) = table(storage).files()
    assert (file.rows, set(file.nulls)) == (0, {ROW_ID, DUMP_ID, "plan"})
    assert not file.has_values("plan")
    assert landed.next_row_id() == 0


def test_a_delivery_without_files_changes_nothing(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["a"]})
    assert landed.commit("2-b", [], dump_id=2) == 0
    assert table(storage).deliveries() == {"1-a"}


def test_a_delivery_that_comes_again_replaces_its_files_and_no_others(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["old"]}, {"plan": ["old too"]})
    deliver(landed, "2-b", {"plan": ["other"]})
    place = new_file(landed, "1-a", {"plan": ["new"]}, first=landed.next_row_id(), number="again")
    landed.commit("1-a", [place], dump_id=1)
    assert rows(table(storage), DUMP_ID, "plan") == [(2, "other"), (1, "new")]


def test_the_version_that_a_reader_has_stays_as_it_was(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["old"]})
    reader = table(storage)
    before = reader.files()
    place = new_file(landed, "1-a", {"plan": ["new"]}, first=1, number="again")
    landed.commit("1-a", [place], dump_id=1)
    assert rows(reader, "plan", files=before) == [("old",)]


def test_columns_may_come_later_and_are_null_before(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["gold"]})
    deliver(landed, "2-b", {"price$double": [0.5], "at$time": [datetime(2024, 6, 1)]})  # noqa: DTZ001 (stored so)
    deliver(landed, "3-c", {"price$long": [5], "ok$boolean": [True]})
    assert rows(table(storage), "plan", "price$long", "price$double", "ok$boolean") == [
        ("gold", None, None, None),
        (None, None, 0.5, None),
        (None, 5, None, True),
    ]


def test_a_column_that_no_file_has_is_null_in_its_type(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["gold"]})
    scanned = landed.scan([file.path for file in landed.files()], ["never$time"]).collect()
    assert scanned.schema == {"never$time": pl.Datetime("us")}
    assert scanned.rows() == [(None,)]


def test_files_that_a_crash_left_are_ignored_and_the_next_commit_takes_no_notice(storage):
    landed = table(storage)
    deliver(landed, "1-a", {"plan": ["a"]})
    new_file(landed, "2-b", {"plan": ["half"]}, first=1, number="orphan")
    Path(storage.address("raw/signup/2-b/cut.parquet")).write_bytes(b"PAR1 cut")
    assert rows(table(storage), "plan") == [("a",)]
    deliver(landed, "2-b", {"plan": ["whole"]})
    assert rows(table(storage), "plan") == [("a",), ("whole",)]


def test_a_crash_before_the_first_commit_leaves_no_table(storage):
    new_file(table(storage), "1-a", {"plan": ["half"]}, first=0)
    assert table(storage).files() == ()
    deliver(table(storage), "1-a", {"plan": ["whole"]})
    assert rows(table(storage), "plan") == [("whole",)]


def test_no_row_id_is_given_twice_over_many_commits(storage):
    landed = table(storage)
    for number in range(12):
        deliver(landed, f"{number}-x", {"plan": ["a"]}, {"plan": ["b", "c"]})
    assert sorted(landed.files(), key=str) == sorted(table(storage).files(), key=str)
    assert [row for (row,) in rows(table(storage), ROW_ID)] == list(range(36))
    assert table(storage).next_row_id() == 36


@pytest.mark.parametrize("name", ["Sign up/É", "a.b", "..", "", "con", "🎈", "x" * 300, "%41", "_delta_log"])
def test_a_table_may_have_any_name(storage, name):
    landed, other = table(storage, name), table(storage, name + "2")
    deliver(landed, "1-a", {"plan": ["here"]})
    deliver(other, "1-a", {"plan": ["there"]})
    assert rows(table(storage, name), "plan") == [("here",)]


@pytest.mark.parametrize("column", ["~50rice$long", "a~20b", "~c3~89", "~7e"])
def test_an_escaped_column_comes_back_with_its_statistics(storage, column):
    landed = table(storage)
    deliver(landed, "1-a", {column: [1 if column.endswith("$long") else "x", None]})
    (file,) = table(storage).files()
    assert file.nulls[column] == 1
    assert len(rows(table(storage), column)) == 2


@pytest.mark.parametrize("letters", ["?#&=+%", "'\"{x}", "ü🎈", ":;|^`~<>"])
def test_the_lake_may_lie_in_any_other_folder(tmp_path, letters):
    storage = FolderStorage(tmp_path / letters / "lake")
    deliver(table(storage), "1-a", {"plan": ["a"]})
    deliver(table(storage), "2-b", {"plan": ["b"], "price$long": [5]})
    assert rows(table(storage), "plan", "price$long") == [("a", None), ("b", 5)]
    assert [folder.name for folder in tmp_path.iterdir()] == [letters]


def test_other_engines_can_read_the_table_and_its_history(storage):
    landed = table(storage)
    deliver(landed, "7-a", {"plan": ["gold", "free"], "at$time": [datetime(2024, 6, 1), None]})  # noqa: DTZ001 (stored so)
    delta = DeltaTable(storage.address("raw/signup"))
    assert [field.name for field in delta.schema().fields] == ["$delivery", ROW_ID, DUMP_ID, "plan", "at$time"]
    assert pl.DataFrame(delta.get_add_actions(flatten=True))["num_records"].to_list() == [2]
    assert delta.history()[0]["dump_id"] == "7"
    assert json.loads(delta.schema().to_json())["fields"][4]["type"] == "timestamp_ntz"


def opened(monkeypatch) -> list[str]:
    """Count from here on the openings of Delta tables."""
    counted: list[str] = []
    real = landed_table.DeltaTable
    monkeypatch.setattr(landed_table, "DeltaTable", lambda *a, **k: counted.append(a[0]) or real(*a, **k))
    return counted


def test_files_that_are_remembered_are_told_without_opening_the_table(storage, monkeypatch):
    landed = table(storage)
    deliver(landed, "1-a", {"event_id$long": [1, None]})
    landed.remember()
    counted = opened(monkeypatch)
    assert table(storage).files() == landed.files()
    assert counted == []


def test_what_is_remembered_of_another_version_or_torn_counts_for_nothing(storage, monkeypatch):
    landed = table(storage)
    deliver(landed, "1-a", {"event_id$long": [1]})
    landed.remember()
    deliver(landed, "2-b", {"event_id$long": [2], "plan": ["gold"]})
    assert {file.delivery for file in table(storage).files()} == {"1-a", "2-b"}
    landed.remember()
    memory = next(storage.local_copy("raw").rglob("_files.json"))
    memory.write_bytes(memory.read_bytes()[:20])
    assert {file.delivery for file in table(storage).files()} == {"1-a", "2-b"}
