"""Quarantine: rows that lack an id, why, and how they came.

Here: stored rows of one table. Not here: file and row number (pipeline/landing/test_landing_errors.py).
"""

import json
from datetime import datetime

import polars as pl
import pytest

from heap_assets.schema.heap_tables import EVENT, SESSIONS, USER_MIGRATIONS, RawTable
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, stored_name
from heap_assets.schema.value_types import ValueType as T
from heap_assets.transforms.quarantine import quarantined

NOON = datetime(2024, 6, 1, 12)  # noqa: DTZ001 (UTC without zone, as stored)
Stored = dict[tuple[str, T], list]


def left_out(columns: Stored, table: RawTable = EVENT) -> list[tuple[int, str, dict]]:
    """Return row id, reason and delivered row of every quarantined row of these stored columns."""
    series = {stored_name(*key): pl.Series(values, dtype=key[1].polars) for key, values in columns.items()}
    height = len(next(iter(series.values())))
    rows = pl.DataFrame({ROW_ID: range(height), DUMP_ID: [3] * height, **series}).lazy()
    found = quarantined(rows, list(series), table).sort(ROW_ID).collect()
    assert found.columns == [ROW_ID, DUMP_ID, "reason", "row"]
    return [(place, reason, json.loads(row)) for place, _, reason, row in found.iter_rows()]


def test_rows_with_all_their_ids_are_not_in_quarantine_whatever_else_is_null():
    columns: Stored = {
        ("event_id", T.LONG): [1, 2],
        ("user_id", T.LONG): [5, 5],
        ("session_id", T.LONG): [None, None],
        ("time", T.TIME): [None, NOON],
    }
    assert left_out(columns) == []


def test_a_missing_id_is_named():
    columns: Stored = {("event_id", T.LONG): [1, None, 3], ("user_id", T.LONG): [5, 5, None]}
    assert left_out(columns) == [
        (1, "event_id is missing", {"event_id": None, "user_id": 5}),
        (2, "user_id is missing", {"event_id": 3, "user_id": None}),
    ]


def test_every_missing_id_is_named():
    columns: Stored = {("from_user_id", T.LONG): [None], ("to_user_id", T.LONG): [None]}
    ((_, reason, _),) = left_out(columns, USER_MIGRATIONS)
    assert reason == "from_user_id is missing; to_user_id is missing"


def test_a_session_needs_its_session_id():
    columns: Stored = {("event_id", T.LONG): [1], ("user_id", T.LONG): [2], ("session_id", T.LONG): [None]}
    ((_, reason, _),) = left_out(columns, SESSIONS)
    assert reason == "session_id is missing"


@pytest.mark.parametrize(
    ("kind", "value", "shown"), [(T.TEXT, "x1", "x1"), (T.DOUBLE, 5.5, "5.5"), (T.BOOLEAN, True, "true")]
)
def test_an_id_that_cannot_be_read_is_shown(kind, value, shown):
    columns: Stored = {("event_id", T.LONG): [1], ("user_id", T.LONG): [None], ("user_id", kind): [value]}
    ((_, reason, row),) = left_out(columns)
    assert reason == f"user_id is {shown}, which is no whole number"
    assert row == {"event_id": 1, "user_id": shown}


def test_the_row_shows_every_value_as_it_was_delivered_under_its_delivered_name():
    columns: Stored = {
        ("event_id", T.LONG): [None],
        ("user_id", T.LONG): [7],
        ("time", T.TIME): [None],
        ("time", T.TEXT): ["soon"],
        ('Odd "näme"/$', T.TEXT): ["a\n'\"🎈"],
        ("price", T.DOUBLE): [0.1],
        ("ok", T.BOOLEAN): [False],
    }
    ((_, _, row),) = left_out(columns)
    assert row == {
        "event_id": None,
        "user_id": 7,
        "time": "soon",
        'Odd "näme"/$': "a\n'\"🎈",
        "price": 0.1,
        "ok": False,
    }


def test_a_column_that_came_in_several_types_shows_the_value_of_the_row():
    columns: Stored = {
        ("event_id", T.LONG): [None, None, None],
        ("user_id", T.LONG): [1, 1, 1],
        ("price", T.LONG): [5, None, None],
        ("price", T.TEXT): [None, "free", None],
    }
    assert [row["price"] for _, _, row in left_out(columns)] == ["5", "free", None]


def test_a_number_that_json_cannot_write_does_not_break_the_row():
    columns: Stored = {("event_id", T.LONG): [None], ("user_id", T.LONG): [1], ("price", T.DOUBLE): [float("nan")]}
    ((_, _, row),) = left_out(columns)
    assert row["price"] in (None, "nan")
