from datetime import timedelta

import pytest

from heap_assets_tests.exports.description import Listing
from heap_assets_tests.exports.pools import FIRST, SECOND
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.export_reader import ExportBroken, manifests
from heap_assets_tests.oracles.truth import opened, truth
from heap_assets_tests.oracles.typing_rules import EPOCH

NINE_THIRTY = EPOCH + timedelta(microseconds=FIRST)
EVENT = "event_id:long user_id:long time:timestamp-micros plan"


def told(root, table, *dumps):
    for described in dumps:
        write_dump(root, described)
    found = manifests(root)
    return truth(found, opened(root, found), table)


def plans(table):
    return sorted((row.values["event_id"], row.values["user_id"], row.values["plan"]) for row in table.rows)


def event(*rows, **more):
    return data_file(EVENT, *rows, **more)


def test_an_incremental_dump_adds_and_replaces_by_event_and_user(tmp_path):
    table = told(
        tmp_path,
        "signup",
        dump(1, {"signup": event((1, 7, FIRST, "old"), (1, 8, FIRST, "other user"))}),
        dump(2, {"signup": event((1, 7, None, "new"), (2, 7, FIRST, "added"))}),
    )

    assert plans(table) == [(1, 7, "new"), (1, 8, "other user"), (2, 7, "added")]


def test_a_full_dump_voids_earlier_ones_of_its_table_alone(tmp_path):
    dumps = [
        dump(9, {"signup": event((1, 7, FIRST, "old")), "order": event((1, 7, FIRST, "kept"))}),
        dump(10, {"signup": full("signup", event((2, 7, FIRST, "full")))}),
        dump(11, {"signup": event((3, 7, FIRST, "added"))}),
    ]

    assert plans(told(tmp_path, "signup", *dumps)) == [(2, 7, "full"), (3, 7, "added")]
    assert plans(told(tmp_path, "order", *dumps)) == [(1, 7, "kept")]


def test_within_a_dump_the_greatest_time_wins_a_null_being_the_oldest(tmp_path):
    late, early = FIRST + SECOND, FIRST
    table = told(
        tmp_path,
        "signup",
        dump(
            1,
            {"signup": event((1, 7, late, "late"), (1, 7, early, "early"), (2, 7, 0, "zero is null"), (2, 7, 1, "a"))},
        ),
    )

    assert plans(table) == [(1, 7, "late"), (2, 7, "a")]


def test_of_equal_times_the_later_file_then_the_later_row_wins(tmp_path):
    first = event((1, 7, FIRST, "a"), (1, 7, FIRST, "b"), (2, 7, FIRST, "c"), name="z.avro")
    second = event((2, 7, FIRST, "d"), (3, 7, None, "e"), (3, 7, None, "f"), name="a.avro")

    table = told(tmp_path, "signup", dump(1, {"signup": (first, second)}))

    assert plans(table) == [(1, 7, "b"), (2, 7, "d"), (3, 7, "f")]


def test_sessions_are_keyed_by_session_and_users_by_user(tmp_path):
    sessions = data_file(f"session_id:long {EVENT}", (5, 1, 7, FIRST, "a"), (5, 2, 7, FIRST, "b"))
    users = data_file("user_id:long last_modified:long", (7, 20), (7, 10), (7, None))
    described = dump(1, {"sessions": sessions, "users": users})

    assert plans(told(tmp_path, "sessions", described)) == [(2, 7, "b")]
    (user,) = told(tmp_path, "users", described).rows
    assert user.values["last_modified"] == EPOCH + timedelta(seconds=20)


def test_a_row_without_a_required_id_is_rejected_with_its_place(tmp_path):
    file = data_file(
        "event_id user_id:long time session_id", ("1", None, "", "x"), ("1", 7, "", "x"), ("one", 7, "", "")
    )

    table = told(tmp_path, "signup", dump(4, {"signup": file}))

    assert [(row.table, row.dump_id, row.file, row.row_number) for row in table.rejected] == [
        ("signup", 4, "s3://heap-rs3-acme/sync_4/signup/0.avro", 1),
        ("signup", 4, "s3://heap-rs3-acme/sync_4/signup/0.avro", 3),
    ]
    assert [row.values for row in table.rows] == [{"event_id": 1, "user_id": 7, "time": None, "session_id": None}]


def test_each_delivery_of_migrations_replaces_the_last_whatever_its_flag(tmp_path):
    columns = "from_user_id:long to_user_id:long"
    table = told(
        tmp_path,
        "user_migrations",
        dump(1, {"user_migrations": data_file(columns, (1, 2))}),
        dump(2, {"user_migrations": data_file(columns, (3, 4), (3, 5), (6, 6))}),
        dump(3, {"user_migrations": Listing("user_migrations")}),
    )

    assert [row.values for row in table.rows] == [
        {"from_user_id": 3, "to_user_id": 5},
        {"from_user_id": 6, "to_user_id": 6},
    ]
    assert len(table.delivered) == 3


def test_types_follow_the_current_files_that_are_not_null_throughout(tmp_path):
    columns = "event_id:long user_id:long time "
    table = told(
        tmp_path,
        "signup",
        dump(1, {"signup": data_file(columns + "a:string", (1, 1, "", "voided"))}),
        dump(2, {"signup": full("signup", data_file(columns + "a:long b:boolean c:int", (1, 1, "", 5, True, 3)))}),
        dump(3, {"signup": data_file(columns + "a:double b:long c:string d", (2, 1, "", 0.5, 7, None, None))}),
    )

    assert table.columns == {
        "event_id": "BIGINT",
        "user_id": "BIGINT",
        "time": "TIMESTAMP",
        "a": "DOUBLE",
        "b": "VARCHAR",
        "c": "BIGINT",
        "d": "VARCHAR",
    }
    assert sorted((row.values["a"], row.values["b"], row.values["c"]) for row in table.rows[:1]) == [(5.0, "true", 3)]
    assert (table.rows[1].values["a"], table.rows[1].values["b"]) == (0.5, "7")
    assert "d" not in table.declared


def test_a_column_that_one_file_declares_a_timestamp_is_a_time_in_all(tmp_path):
    columns = "event_id:long user_id:long time seen_at"
    table = told(
        tmp_path,
        "signup",
        dump(1, {"signup": data_file(f"{columns}:timestamp-nanos", (1, 1, "", FIRST * 1000 + 999))}),
        dump(2, {"signup": data_file(columns, (2, 1, "", "2024-03-10T09:30Z"), (3, 1, "", "soon"))}),
    )

    assert [row.values["seen_at"] for row in table.rows] == [NINE_THIRTY, NINE_THIRTY, None]


def test_an_emptied_table_has_the_columns_of_its_manifests(tmp_path):
    emptied = full("signup", columns=("event_id", "plan", "session_id"))
    table = told(
        tmp_path,
        "signup",
        dump(1, {"signup": event((1, 1, FIRST, "gone"))}),
        dump(2, {"signup": emptied}),
        dump(3, {"signup": Listing("signup", columns=("price",))}),
    )

    assert table.rows == ()
    assert table.columns == {
        "event_id": "BIGINT",
        "user_id": "BIGINT",
        "time": "TIMESTAMP",
        "plan": "VARCHAR",
        "session_id": "BIGINT",
        "price": "VARCHAR",
    }


def test_the_first_dump_with_a_broken_file_fails(tmp_path):
    missing = event((1, 1, FIRST, ""), name="a.avro", state="missing")
    with pytest.raises(ExportBroken) as broken:
        told(tmp_path, "signup", dump(5, {"signup": missing}), dump(4, {}), dump(9, {}, manifest="garbage"))

    assert (broken.value.dump_id, broken.value.file) == (5, "s3://heap-rs3-acme/sync_5/signup/a.avro")


def test_a_broken_file_that_a_later_full_dump_voids_is_not_needed(tmp_path):
    missing = event((1, 1, FIRST, ""), state="missing")
    dumps = [dump(1, {"signup": missing}), dump(2, {"signup": full("signup", event((2, 1, FIRST, "full")))})]

    assert plans(told(tmp_path, "signup", *dumps)) == [(2, 1, "full")]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("signup", "event_id:long user_id:long"),
        ("signup", "event_id:long time"),
        ("sessions", "event_id:long user_id:long time"),
        ("users", "USER_ID:long"),
        ("user_migrations", "from_user_id:long time"),
    ],
)
def test_a_file_with_rows_but_without_a_required_column_is_broken(tmp_path, table, columns):
    row = tuple("" if column == "time" else 1 for column in columns.split())

    told(tmp_path / "no rows", table, dump(1, {table: data_file(columns)}))
    with pytest.raises(ExportBroken):
        told(tmp_path / "a row", table, dump(1, {table: data_file(columns, row)}))
