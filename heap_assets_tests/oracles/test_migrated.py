from datetime import datetime

from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.tables import published_tables

M = "main_production_migrated"
KEY = "event_id:long user_id:long time:long"
MERGED = {"user_migrations": data_file("from_user_id:long to_user_id:long time:long", (1, 2, 20), (2, 3, 10))}


def migrated(root, *dumps, **settings):
    for described in dumps:
        write_dump(root, described)
    return {name: table for (schema, name), table in published_tables(root, **settings).items() if schema == M}


def at(seconds):
    return datetime.fromisoformat(f"1970-01-01T00:00:{seconds:02}")


def as_dicts(table):
    return sorted((dict(zip(table.columns, row, strict=True)) for row in table.rows), key=repr)


def test_events_carry_the_resolved_and_the_recorded_user(tmp_path):
    tables = migrated(tmp_path, dump(1, {**MERGED, "signup": data_file(KEY, (1, 1, 5), (1, 9, 5))}))

    assert tables["identity_map"].rows == [(1, 3), (2, 3)]
    assert as_dicts(tables["signup"]) == [
        {"event_id": 1, "user_id": 3, "time": at(5), "original_user_id": 1},
        {"event_id": 1, "user_id": 9, "time": at(5), "original_user_id": 9},
    ]
    assert [row["event_table_name"] for row in as_dicts(tables["all_events"])] == ["signup", "signup"]


def test_rows_of_users_that_merged_are_de_duplicated_after_the_merge(tmp_path):
    tables = migrated(
        tmp_path,
        dump(1, {**MERGED, "signup": data_file(KEY, (1, 1, 50), (2, 2, 6), (2, 3, 5))}),
        dump(2, {"signup": data_file(KEY, (1, 2, 7))}),
    )

    assert [(row["event_id"], row["time"], row["original_user_id"]) for row in as_dicts(tables["signup"])] == [
        (1, at(7), 2),  # the newer dump wins over the greater time
        (2, at(6), 2),  # within a dump the greater time wins
    ]


def test_a_user_without_a_row_of_its_own_still_gathers_the_rows_of_those_that_became_it(tmp_path):
    users = data_file(
        "user_id:long joindate:long last_modified:long identity handle:long plan city",
        (1, 30, 31, "Zoe", 9, "gold", None),
        (2, 20, 32, "ana", 10, None, "Rome"),
        (7, None, None, None, None, "free", None),
    )

    tables = migrated(tmp_path, dump(1, {**MERGED, "users": users}))

    assert as_dicts(tables["users"]) == [
        {
            "user_id": 3,
            "joindate": at(20),
            "last_modified": at(32),
            "identity": "ana",
            "handle": 10,
            "plan": "gold",
            "city": "Rome",
        },
        {
            "user_id": 7,
            "joindate": None,
            "last_modified": None,
            "identity": None,
            "handle": None,
            "plan": "free",
            "city": None,
        },
    ]


def test_of_equally_new_rows_the_resolved_user_wins_then_the_greatest_one(tmp_path):
    users = data_file(
        "user_id:long last_modified:long plan city zip",
        (1, 5, "one", "one", "one"),
        (2, 5, "two", "two", None),
        (3, 5, "three", None, None),
    )

    (row,) = as_dicts(migrated(tmp_path, dump(1, {**MERGED, "users": users}))["users"])

    assert (row["plan"], row["city"], row["zip"]) == ("three", "two", "one")


def test_a_row_without_a_time_is_the_oldest(tmp_path):
    users = data_file("user_id:long last_modified:long plan", (3, None, "resolved"), (1, 1, "older user"))

    (row,) = as_dicts(migrated(tmp_path, dump(1, {**MERGED, "users": users}))["users"])

    assert row["plan"] == "older user"


def test_users_without_last_modified_are_equally_old(tmp_path):
    users = data_file("user_id:long plan", (1, "one"), (2, "two"))

    (row,) = as_dicts(migrated(tmp_path, dump(1, {**MERGED, "users": users}))["users"])

    assert row == {"user_id": 3, "plan": "two"}


def test_identity_and_its_kin_are_compared_by_code_point(tmp_path):
    users = data_file("user_id:long email Email", (1, "Z", "new"), (2, "a", None))

    (row,) = as_dicts(migrated(tmp_path, dump(1, {**MERGED, "users": users}))["users"])

    assert row == {"user_id": 3, "email_2": "a", "Email": "new"}
