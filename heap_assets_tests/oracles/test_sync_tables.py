import json
from datetime import timedelta

from heap_assets_tests.exports.description import Listing, Report
from heap_assets_tests.exports.pools import DAY, FIRST, SECOND
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump, write_report
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.oracles.typing_rules import EPOCH

S = "main_production"
KEY = "event_id user_id:long time:timestamp-micros"
NINE_THIRTY = EPOCH + timedelta(microseconds=FIRST)
A_DAY = timedelta(days=1)


def publish(root, *dumps, **settings):
    for described in dumps:
        write_dump(root, described)
    return published_tables(root, **settings)


def test_sync_info_tells_of_the_last_dump_that_lists_a_table(tmp_path):
    first = data_file(KEY, ("1", 1, FIRST), ("1", 1, FIRST), ("x", 1, FIRST), modified=FIRST + 60 * SECOND)
    second = data_file(KEY, ("2", 1, FIRST + 9 * DAY), name="b.avro", modified=FIRST + 30 * SECOND)
    tables = publish(
        tmp_path,
        dump(1, {"signup": (first, second), "order": data_file(KEY, ("1", 1, 0))}),
        dump(2, {"order": Listing("order"), "empty": Listing("empty"), "_dropped_tables": data_file("a", ("b",))}),
    )

    assert sorted(tables[S, "_sync_info"].rows) == [
        ("empty", None, NINE_THIRTY + 2 * A_DAY, None, 0),
        ("order", None, NINE_THIRTY + 2 * A_DAY, None, 0),
        ("signup", NINE_THIRTY + timedelta(seconds=30), NINE_THIRTY + A_DAY, NINE_THIRTY, 4),
    ]


def test_users_are_synced_to_their_last_modification(tmp_path):
    users = data_file("user_id:long last_modified:timestamp-micros", (1, FIRST))

    tables = publish(tmp_path, dump(1, {"users": users}))

    assert tables[S, "_sync_info"].rows == [("users", NINE_THIRTY, NINE_THIRTY + A_DAY, NINE_THIRTY, 1)]


def test_a_row_of_heap_replaces_ours_if_it_came_in_the_same_dump_or_later(tmp_path):
    told = data_file(
        "event_table_name sync_ended:long inserted_row_count:long",
        ("all_events", FIRST, 77),
        ("old", FIRST, 78),
        ("nobody lists it", FIRST, 79),
    )
    event = data_file(KEY, ("1", 1, FIRST))

    tables = publish(
        tmp_path,
        dump(1, {"all_events": event, "_sync_info": told}),
        dump(2, {"old": event}),
    )

    assert sorted(tables[S, "_sync_info"].rows) == [
        ("all_events_2", None, NINE_THIRTY, None, 77),
        ("old", NINE_THIRTY, NINE_THIRTY + 2 * A_DAY, NINE_THIRTY, 1),
    ]


def test_sync_history_has_a_row_per_dump_from_its_report_or_its_files(tmp_path):
    report = {"status": "failed", "start_time": FIRST // 1000, "error": "no access", "next_sync_at": FIRST // 1000}
    write_report(tmp_path, Report("sync_2.json", json.dumps(report)))
    write_report(tmp_path, Report("sync_3.json", json.dumps(report)))

    tables = publish(tmp_path, dump(1, {"users": data_file("user_id:long")}), dump(2, {}), dump(10, {}))

    assert tables[S, "_sync_history"].rows == [
        (1, "succeeded", NINE_THIRTY, NINE_THIRTY + A_DAY, None, None),
        (2, "failed", NINE_THIRTY, None, "no access", NINE_THIRTY),
        (10, "succeeded", None, NINE_THIRTY + 10 * A_DAY, None, None),
    ]


def test_a_manifest_that_came_again_keeps_its_first_time(tmp_path):
    tables = publish(tmp_path, dump(1, {"a": Listing("a")}), manifest_times={1: NINE_THIRTY})

    assert tables[S, "_sync_info"].rows == [("a", None, NINE_THIRTY, None, 0)]
    assert tables[S, "_sync_history"].rows == [(1, "succeeded", None, NINE_THIRTY, None, None)]
