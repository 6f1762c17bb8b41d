"""Storing: each delivered value goes to the stored column of its type; ids and times are read, the unreadable is kept.

Here: one frame at a time. Not here: files (pipeline/), every form of a time (expressions/test_times.py).
"""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.schema.heap_tables import EVENT, EVENT_METADATA, SESSIONS, USER_MIGRATIONS, USERS, RawTable
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms.storing import id_from, stored
from heap_assets_tests.oracles.typing_rules import EPOCH, as_id, as_time

NOON = datetime(2024, 6, 1, 12)  # noqa: DTZ001 (UTC without zone, as stored)
TEXT, LONG, DOUBLE, TIME, BOOLEAN = (
    ValueType.TEXT,
    ValueType.LONG,
    ValueType.DOUBLE,
    ValueType.TIME,
    ValueType.BOOLEAN,
)
Columns = dict[str, dict[ValueType, list]]


def stored_columns(columns: Columns, table: RawTable = EVENT) -> dict[str, list]:
    """Return the stored columns of delivered ones, without the row's own two."""
    series = {
        f"{place}.{kind}": pl.Series(values, dtype=kind.polars)
        for place, types in enumerate(columns.values())
        for kind, values in types.items()
    }
    sources = {name: {kind: f"{place}.{kind}" for kind in types} for place, (name, types) in enumerate(columns.items())}
    height = len(next(iter(series.values())))
    rows = pl.DataFrame({ROW_ID: range(10, 10 + height), DUMP_ID: [7] * height, **series}).lazy()
    frame = stored(rows, sources, table).collect()
    assert frame[ROW_ID].to_list() == list(range(10, 10 + height))
    assert frame[DUMP_ID].to_list() == [7] * height
    return frame.drop(ROW_ID, DUMP_ID).to_dict(as_series=False)


def test_a_property_keeps_its_values_in_the_type_in_which_they_came():
    delivered = {"price": {LONG: [5, None]}, "Plan/ß": {TEXT: ["gold", ""]}, "ok": {BOOLEAN: [True, None]}}
    assert stored_columns(delivered) == {
        "price$long": [5, None],
        "~50lan~2f~c3~9f": ["gold", ""],
        "ok$boolean": [True, None],
    }


def test_a_property_of_several_types_has_a_stored_column_of_each():
    assert stored_columns(
        {"price": {LONG: [5, None, None], DOUBLE: [None, 0.5, None], TEXT: [None, None, "free"]}}
    ) == {
        "price$long": [5, None, None],
        "price$double": [None, 0.5, None],
        "price": [None, None, "free"],
    }


def test_an_id_that_came_as_text_of_digits_is_a_number_and_other_text_is_kept_beside_its_null():
    assert stored_columns({"user_id": {TEXT: ["17", "007", "-3", "x", "", " 5", None, "9" * 19]}}) == {
        "user_id$long": [17, 7, -3, None, None, None, None, None],
        "user_id": [None, None, None, "x", "", " 5", None, "9" * 19],
    }


def test_an_id_that_came_as_a_number_needs_no_other_column():
    assert stored_columns({"user_id": {LONG: [2**63 - 1, None]}}) == {"user_id$long": [2**63 - 1, None]}


def test_an_id_that_came_in_two_types_is_one_number():
    assert stored_columns({"event_id": {LONG: [1, None, None], TEXT: [None, "2", "two"]}}) == {
        "event_id$long": [1, 2, None],
        "event_id": [None, None, "two"],
    }


def test_a_double_is_an_id_only_if_it_is_whole_and_a_boolean_never_is():
    assert stored_columns({"user_id": {DOUBLE: [5.0, 5.5, float("inf"), 1e30]}}) == {
        "user_id$long": [5, None, None, None],
        "user_id$double": [None, 5.5, float("inf"), 1e30],
    }
    assert stored_columns({"user_id": {BOOLEAN: [True, None]}}) == {
        "user_id$long": [None, None],
        "user_id$boolean": [True, None],
    }


def test_a_time_is_read_and_text_that_is_none_is_kept_beside_its_null():
    assert stored_columns({"time": {TEXT: ["2024-06-01T12:00Z", "0", "00", "soon", None]}}) == {
        "time$time": [NOON, None, None, None, None],
        "time": [None, None, None, "soon", None],
    }


def test_a_time_that_came_as_a_number_needs_no_other_column():
    assert stored_columns({"time": {LONG: [1_717_243_200_000, 0, None]}}) == {"time$time": [NOON, None, None]}


def test_a_time_that_came_as_a_double_keeps_what_says_nothing():
    assert stored_columns({"time": {DOUBLE: [1_717_243_200.0, 0.0, 1e300]}}) == {
        "time$time": [NOON, None, None],
        "time$double": [None, None, 1e300],
    }


@pytest.mark.parametrize("column", ["time", "seen_at"])
def test_a_timestamp_of_zero_or_of_no_calendar_year_is_null_in_every_column(column):
    far = pl.Series([0, 2**62, None]).cast(pl.Datetime("us"))
    assert stored_columns({column: {TIME: far}}) == {f"{column}$time": [None, None, None]}


def test_the_times_of_each_table_are_its_own():
    assert set(stored_columns({"joindate": {LONG: [1]}, "last_modified": {LONG: [1]}}, USERS)) == {
        "joindate$time",
        "last_modified$time",
    }
    assert set(stored_columns({"joindate": {LONG: [1]}})) == {"joindate$long"}
    assert set(stored_columns({"verified_at": {LONG: [1]}}, EVENT_METADATA)) == {"verified_at$time"}
    assert set(stored_columns({"to_user_id": {TEXT: ["1"]}}, USER_MIGRATIONS)) == {"to_user_id$long", "to_user_id"}


@pytest.mark.parametrize("table", [EVENT, SESSIONS, USERS])
def test_session_time_is_a_column_like_any_other_and_no_time(table):
    delivered = {"session_time": {LONG: [1_710_063_000], TEXT: [" 1.50"]}}
    assert stored_columns(delivered, table) == {"session_time$long": [1_710_063_000], "session_time": [" 1.50"]}


_ids = {
    TEXT: st.text("-0123456789. x", max_size=4) | st.integers(-(2**64), 2**64).map(str),
    LONG: st.integers(-(2**63), 2**63 - 1),
    DOUBLE: st.floats() | st.integers(-(2**65), 2**65).map(float),
    BOOLEAN: st.booleans(),
}


@pytest.mark.parametrize("kind", _ids)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_ids_are_read_as_plain_python_does(kind, data):
    values = data.draw(st.lists(st.none() | _ids[kind], min_size=1, max_size=20))
    frame = pl.DataFrame({"id": pl.Series(values, dtype=kind.polars)})
    read = frame.with_columns(id_from(pl.col("id"), kind).alias("id"))["id"]
    assert read.dtype == pl.Int64
    assert read.to_list() == [as_id(value) for value in values]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["2024-06-01", "0", "-00", "x", "", "17", None, "2024-06-01T24:00"]), min_size=1))
def test_of_each_text_in_a_time_column_either_the_time_or_the_text_is_stored_unless_it_says_that_there_is_none(texts):
    found = stored_columns({"time": {TEXT: texts}})
    times = [as_time(text) for text in texts]
    assert found["time$time"] == times
    says_none = {"0", "-00", None}
    assert found["time"] == [
        text if time is None and text not in says_none else None for text, time in zip(texts, times, strict=True)
    ]


def test_timestamps_of_any_precision_are_stored_as_microseconds():
    millis = pl.Series([EPOCH + timedelta(milliseconds=1)], dtype=pl.Datetime("ms"))
    rows = pl.DataFrame({ROW_ID: [0], DUMP_ID: [1], "a": millis}).lazy()
    frame = stored(rows, {"seen_at": {TIME: "a"}}, EVENT).collect()
    assert frame.schema["seen_at$time"] == pl.Datetime("us")
    assert frame["seen_at$time"].to_list() == [EPOCH + timedelta(milliseconds=1)]
