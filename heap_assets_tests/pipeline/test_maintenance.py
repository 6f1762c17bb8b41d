"""Maintenance: what counts no more goes after a week, what anybody may still read stays, results stay the same."""

import os
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from heap_assets.lake import maintenance
from heap_assets.limits import Limits
from heap_assets.pipeline.maintenance import maintain
from heap_assets.pipeline.resolve.resolved_state import resolved_files
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import sync_of

DAY_S = 86_400


def orders(*ids: int):
    return data_file("event_id:long user_id:long session_id:long time", *((n, 1, 1, "2026-01-01") for n in ids))


@pytest.fixture
def sync(tmp_path):
    """Lend a sync of three dumps, the last one a full resync, all landed one by one and published."""
    (tmp_path / "export").mkdir()
    sync = sync_of(tmp_path / "export", tmp_path / "home")
    for number, tables in enumerate([{"orders": orders(1, 2)}, {"orders": orders(3)}], start=1):
        write_dump(tmp_path / "export", dump(number, tables))
        run(sync)
    write_dump(tmp_path / "export", dump(3, {"orders": full("orders", orders(7, 8))}))
    run(sync)
    return sync


def run(sync) -> None:
    sync.land()
    sync.resolve()
    sync.publish()


def parquet(sync) -> set[Path]:
    return {path for path in Path(sync.settings.lake_uri, "raw").rglob("*.parquet") if "_delta_log" not in path.parts}


def published(sync) -> list[int]:
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        rows = connection.execute("SELECT event_id FROM main_production_migrated.orders ORDER BY ALL").fetchall()
    return [event_id for (event_id,) in rows]


def test_void_deliveries_are_taken_out_and_their_files_stay_for_a_week(sync, monkeypatch):
    before = parquet(sync)
    done = sync.maintain()
    assert (done.skipped, done.tables["orders"].deliveries, done.tables["orders"].files) == ("", 2, 0)
    assert parquet(sync) == before
    assert published(sync) == [7, 8]
    monkeypatch.setattr(maintenance, "RETENTION", timedelta(0))
    monkeypatch.setattr(maintenance.DeltaTable, "vacuum", without_the_week(maintenance.DeltaTable.vacuum))
    assert sync.maintain().tables["orders"].files == 2
    assert len(parquet(sync)) == 1
    run(sync)
    assert published(sync) == [7, 8]
    sync.resolve(rebuild=True)
    sync.publish()
    assert published(sync) == [7, 8]


def without_the_week(vacuum):
    """Return Delta's vacuum as it is a week later: without its own refusal of shorter retentions."""

    def vacuumed(table, **how):
        return vacuum(table, **{**how, "retention_hours": 0, "enforce_retention_duration": False})

    return vacuumed


def test_dumps_that_come_after_maintenance_land_as_ever_and_row_ids_are_not_given_twice(sync, tmp_path, monkeypatch):
    monkeypatch.setattr(maintenance, "RETENTION", timedelta(0))
    monkeypatch.setattr(maintenance.DeltaTable, "vacuum", without_the_week(maintenance.DeltaTable.vacuum))
    write_dump(tmp_path / "export", dump(4, {"orders": full("orders")}))
    run(sync)
    sync.maintain()
    files = sync.current().tables["orders"].landed.files()
    assert [file.first_row_id for file in files] == [3]
    write_dump(tmp_path / "export", dump(5, {"orders": orders(9)}))
    run(sync)
    assert published(sync) == [9]
    assert max(file.first_row_id for file in sync.current().tables["orders"].files) == 5


def test_a_void_dump_that_counts_again_is_landed_again(sync, tmp_path, monkeypatch):
    monkeypatch.setattr(maintenance, "RETENTION", timedelta(0))
    monkeypatch.setattr(maintenance.DeltaTable, "vacuum", without_the_week(maintenance.DeltaTable.vacuum))
    sync.maintain()
    write_dump(tmp_path / "export", dump(3, {"orders": orders(7, 8)}, attempt=2))
    run(sync)
    assert published(sync) == [1, 2, 3, 7, 8]


def test_nothing_is_removed_that_an_old_published_file_may_read(sync):
    old = time.time() - 8 * DAY_S
    os.utime(sync.settings.duckdb_path, (old, old))
    before = parquet(sync)
    done = sync.maintain()
    assert "have heap_sync publish first" in done.skipped
    assert done.tables == {}
    assert parquet(sync) == before


def tidied_later(sync, **after):
    """Tidy up as if so much later."""
    return maintain(sync.storage, sync.ledger(), published=None, now=datetime.now(UTC) + timedelta(**after)).files


def test_files_that_nothing_names_go_a_week_after_that_was_found_however_old_they_are(sync, tmp_path):
    resolved = Path(sync.settings.lake_uri, "resolved")
    write_dump(tmp_path / "export", dump(4, {"users": data_file("user_id:long last_modified", (1, "2026-01-01"))}))
    run(sync)
    assert tidied_later(sync)["resolved"] == 0
    assert tidied_later(sync, days=8)["resolved"] > 0
    named = set(resolved.glob("*.parquet"))
    left = resolved / "left.parquet"
    left.write_bytes(b"left over")
    past = (datetime.now(UTC) - timedelta(days=80)).timestamp()
    for path in (left, *named):
        os.utime(path, (past, past))
    assert tidied_later(sync)["resolved"] == 0
    (resolved / "later.parquet").write_bytes(b"left over")
    assert tidied_later(sync, days=6)["resolved"] == 0
    assert tidied_later(sync, days=8)["resolved"] == 1
    assert set(resolved.glob("*.parquet")) == {*named, resolved / "later.parquet"}
    assert tidied_later(sync, days=15)["resolved"] == 1


def test_files_of_older_analyses_go_after_a_week_and_those_of_layers_in_use_stay(sync, tmp_path):
    for number in (4, 5):
        write_dump(tmp_path / "export", dump(number, {"orders": orders(number)}))
        run(sync)
    analytics = Path(sync.settings.lake_uri, "analytics")
    left = analytics / "left.parquet"
    left.write_bytes(b"left over")
    before = len(list(analytics.glob("*.parquet")))
    assert tidied_later(sync)["analytics"] == 0
    removed = tidied_later(sync, days=8)["analytics"]
    assert not left.exists()
    assert 1 <= removed == before - len(list(analytics.glob("*.parquet")))
    sync.publish()
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        (found,) = connection.execute("SELECT count(*) FROM heap_analytics.heap_events").fetchone()
    assert found == sync.analyze().models["heap_events"].built.rows


def test_packs_that_are_read_no_more_go_after_a_week(sync, tmp_path):
    sync.settings = replace(sync.settings, limits=Limits(most_small_files=1))
    packed = Path(sync.settings.lake_uri, "packed")
    for number in (4, 5, 6):
        write_dump(tmp_path / "export", dump(number, {"orders": orders(number)}))
        run(sync)
    assert len(list(packed.glob("*.parquet"))) == 3
    assert tidied_later(sync)["packed"] == 0
    assert tidied_later(sync, days=8)["packed"] == 2
    assert published(sync) == [4, 5, 6, 7, 8]
    run(sync)
    assert published(sync) == [4, 5, 6, 7, 8]


def test_copies_of_another_table_that_are_read_no_more_go_after_a_week(tmp_path):
    (tmp_path / "crm.csv").write_text("email\nx@y.example\n")
    write_dump(tmp_path / "export", dump(1, {"users": data_file("user_id:long email", (1, "x@y.example"))}))
    other = {"HEAP_OTHER_TABLE": str(tmp_path / "crm.csv"), "HEAP_OTHER_KEY": "email=email"}
    sync = sync_of(tmp_path / "export", tmp_path / "home", **other)
    for _ in range(3):
        run(sync)
    assert tidied_later(sync)["other"] == 0
    assert tidied_later(sync, days=8)["other"] == 2
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        assert connection.execute("SELECT heap_user_id FROM other.crm").fetchall() == [(1,)]


def test_a_lake_in_s3_is_tidied_like_one_in_a_folder(tmp_path, s3_server, s3_bucket, monkeypatch):
    monkeypatch.setattr(maintenance, "RETENTION", timedelta(0))
    monkeypatch.setattr(maintenance.DeltaTable, "vacuum", without_the_week(maintenance.DeltaTable.vacuum))
    (tmp_path / "export").mkdir()
    place = {"HEAP_LAKE_URI": f"s3://{s3_bucket}/a lake", "AWS_ENDPOINT_URL": s3_server.endpoint}
    sync = sync_of(tmp_path / "export", tmp_path / "home", **place)
    users = data_file("user_id:long last_modified", (1, "2026-01-01"))
    for number, tables in enumerate([{"orders": orders(1), "users": users}, {"orders": full("orders", orders(7))}], 1):
        write_dump(tmp_path / "export", dump(number, tables))
        run(sync)
    sync.resolve(rebuild=True)
    before = set(sync.storage.names("resolved"))

    done = sync.maintain()

    assert (done.tables["orders"].deliveries, done.tables["orders"].files) == (1, 1)
    assert done.files["resolved"] == 0
    assert tidied_later(sync, days=8)["resolved"] == len(before) - len(resolved_files(sync.storage)) > 0
    assert {f"resolved/{name}" for name in sync.storage.names("resolved")} == resolved_files(sync.storage)
    run(sync)
    assert published(sync) == [7]
    again = sync_of(tmp_path / "export", tmp_path / "elsewhere", **place)
    run(again)
    assert published(again) == [7]
