"""_sync_info and _sync_history: Heap's own rows where they are new enough, else what manifests and files say.

Here: small frames in, tables out. Not here: where the frames come from (pipeline/resolve/sync_tables.py).
"""

from datetime import datetime, timedelta

import polars as pl

from heap_assets.transforms.sync_tables import SYNC_HISTORY_SCHEMA, SYNC_INFO_SCHEMA, sync_history, sync_info

MONDAY = datetime(2024, 3, 11)  # noqa: DTZ001 (UTC without zone, as stored)
TUESDAY = MONDAY + timedelta(days=1)
WITH_DUMP = {**SYNC_INFO_SCHEMA, "dump_id": pl.Int64()}
HISTORY = {
    "dump_id": pl.Int64(),
    "reported": pl.Boolean(),
    **dict.fromkeys(("status", "error", "report_start", "report_finish", "next_sync_at"), pl.String()),
    "first_file": pl.Datetime("us"),
    "manifest": pl.Datetime("us"),
}


def info(name: str, dump_id: int, *, ended: datetime | None = MONDAY, rows: int = 0) -> dict:
    return {
        "event_table_name": name,
        "sync_started": MONDAY,
        "sync_ended": ended,
        "synced_to_time": None,
        "inserted_row_count": rows,
        "dump_id": dump_id,
    }


def counted(ours: list[dict], heaps: list[dict]) -> dict[str, int]:
    """Return the row count of each table of _sync_info: a mark of the row that it is from."""
    table = sync_info(pl.DataFrame(ours, schema=WITH_DUMP), pl.DataFrame(heaps, schema=WITH_DUMP))
    assert table.schema == SYNC_INFO_SCHEMA
    assert table["event_table_name"].to_list() == sorted(table["event_table_name"])
    return dict(table.select("event_table_name", "inserted_row_count").iter_rows())


def test_without_rows_of_heaps_ours_stand():
    assert counted([info("users", 3, rows=1), info("signup", 2, rows=2)], []) == {"signup": 2, "users": 1}


def test_heaps_row_of_the_tables_last_dump_or_a_later_one_replaces_ours():
    ours = [info("users", 3, rows=1), info("signup", 3, rows=2), info("pageviews", 3, rows=3)]
    heaps = [info("users", 3, rows=10), info("signup", 4, rows=20), info("pageviews", 2, rows=30)]
    assert counted(ours, heaps) == {"users": 10, "signup": 20, "pageviews": 3}


def test_of_heaps_rows_the_newest_dumps_counts_then_the_one_that_ended_last_then_the_later_row():
    ours = [info("a", 1), info("b", 1), info("c", 1)]
    heaps = [
        info("a", 3, ended=MONDAY, rows=13),
        info("a", 2, ended=TUESDAY, rows=12),
        info("b", 2, ended=TUESDAY, rows=21),
        info("b", 2, ended=MONDAY, rows=22),
        info("b", 2, ended=None, rows=23),
        info("c", 2, ended=MONDAY, rows=31),
        info("c", 2, ended=MONDAY, rows=32),
    ]
    assert counted(ours, heaps) == {"a": 13, "b": 21, "c": 32}


def test_a_table_that_no_manifest_lists_is_not_there():
    assert counted([info("users", 1)], [info("gone", 2)]) == {"users": 0}


def history(**dump: object) -> dict:
    table = sync_history(pl.DataFrame([{"dump_id": 4, "reported": False, **dump}], schema=HISTORY))
    assert table.schema == SYNC_HISTORY_SCHEMA
    (row,) = table.to_dicts()
    return row


def test_a_dump_without_report_succeeded_between_its_first_file_and_its_manifest():
    assert history(first_file=MONDAY, manifest=TUESDAY) == {
        "dump_id": 4,
        "status": "succeeded",
        "start_time": MONDAY,
        "finish_time": TUESDAY,
        "error": None,
        "next_scheduled_sync_at": None,
    }


def test_a_dump_without_files_has_no_start():
    assert history(manifest=TUESDAY)["start_time"] is None


def test_a_report_says_everything_and_what_it_leaves_out_is_null():
    millis = str(round((MONDAY - datetime(1970, 1, 1)).total_seconds() * 1000))  # noqa: DTZ001 (as MONDAY)
    assert history(
        reported=True, status="failed", error="no access", report_start=millis, first_file=TUESDAY, manifest=TUESDAY
    ) == {
        "dump_id": 4,
        "status": "failed",
        "start_time": MONDAY,
        "finish_time": None,
        "error": "no access",
        "next_scheduled_sync_at": None,
    }


def test_times_of_a_report_may_be_text_and_what_is_none_is_null():
    row = history(reported=True, report_start="2024-03-11T00:00Z", report_finish="0", next_sync_at="later")
    assert (row["start_time"], row["finish_time"], row["next_scheduled_sync_at"]) == (MONDAY, None, None)


def test_the_history_is_in_the_order_of_dumps():
    dumps = [{"dump_id": dump_id, "reported": False} for dump_id in (1000, 20, 999)]
    assert sync_history(pl.DataFrame(dumps, schema=HISTORY))["dump_id"].to_list() == [20, 999, 1000]
