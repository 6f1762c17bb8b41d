"""Times: every form of the contract's section 1, read alike by Polars, by DuckDB and by plain Python.

Here: single values. Not here: which columns are times, what becomes of text that is not a time
(transforms/test_storing.py).
"""

from datetime import datetime, timedelta
from functools import cache
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heap_assets.expressions.duckdb.times import time_sql
from heap_assets.expressions.polars.times import text_time, time_from
from heap_assets.schema.value_types import ValueType
from heap_assets_tests.oracles.typing_rules import EPOCH, as_time

NOON = datetime(2024, 6, 1, 12, 30, 45)  # noqa: DTZ001 (UTC without zone, as stored)
NOON_S = 1_717_245_045
EDGES = [0, 10**11, 10**14, 10**17, 2**63 - 1]
SIGNED_EDGES = [sign * (edge + step) for edge in EDGES for step in (-1, 0) for sign in (-1, 1)]

FORMS = {
    "2024-06-01": NOON.replace(hour=0, minute=0, second=0),
    "2024-06-01 12:30:45": NOON,
    "2024-06-01T12:30:45": NOON,
    "2024-06-01T12:30": NOON.replace(second=0),
    "2024-06-01T12:30:45Z": NOON,
    "2024-06-01 12:30:45+00": NOON,
    "2024-06-01 14:30:45+02:00": NOON,
    "2024-06-01 14:30:45+0200": NOON,
    "2024-06-01 08:00:45-0430": NOON,
    "2024-06-01T12:30Z": NOON.replace(second=0),
    "2024-06-01 12:30:45.5": NOON.replace(microsecond=500_000),
    "2024-06-01T12:30:45.123456Z": NOON.replace(microsecond=123_456),
    "2024-06-01 12:30:45.1234569": NOON.replace(microsecond=123_456),
    "2024-06-01 12:30:45.999999999999": NOON.replace(microsecond=999_999),
    "1970-01-01 00:00:00": EPOCH,
    "0001-01-01 00:00:00.000": datetime.min,  # noqa: DTZ901
    "9999-12-31 23:59:59.999999": datetime.max,  # noqa: DTZ901
    str(NOON_S): NOON,
    str(NOON_S * 10**3 + 7): NOON.replace(microsecond=7_000),
    str(NOON_S * 10**6 + 7): NOON.replace(microsecond=7),
    str(NOON_S * 10**9 + 7_999): NOON.replace(microsecond=7),
    "000000000000000000001717245045": NOON,
    "-1": EPOCH - timedelta(seconds=1),
}
NO_TIMES = [
    "",
    "0",
    "-0",
    "000",
    "yesterday",
    "2024-02-30",
    "2024-13-01",
    "0000-01-01",
    "2024-06-01 24:00:00",
    "2024-06-01 24:00:00.5",
    "2024-06-01 12:60",
    "2024-06-01 12:30:60",
    "2024-06-01 12:30:61.5",
    "2024-06-01 12:30:45 UTC",
    "2024-06-01 12:30:45 +02:00",
    "2024-06-01 12:30:45+24:00",
    "2024-06-01 12:30:45+02:60",
    "2024-06-01 12:30:45+2",
    "2024-06-01 12:30:45.",
    "2024-06-01 12",
    "2024-06-01Z",
    "2024-6-1",
    " 2024-06-01",
    "2024-06-01\n",
    "2024-06-01 12:30:45.5\n",
    "1717245045\n",
    "20240601T123045",
    "2024-06-01T12:30:45z",
    "1717245045.5",
    "+1717245045",
    "٢٠٢٤-06-01",
    "0001-01-01 00:00:00+01:00",
    "9999-12-31 23:59:59-01:00",
    "99999999999999999999",
]


def in_polars(values: list[Any], value_type: ValueType) -> list[datetime | None]:
    frame = pl.DataFrame({"value": pl.Series(values, dtype=value_type.polars)})
    return frame.with_columns(time_from(pl.col("value"), value_type).alias("time"))["time"].to_list()


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def in_duckdb(values: list[Any], value_type: ValueType) -> list[datetime | None]:
    frame = pl.DataFrame({"place": range(len(values)), "value": pl.Series(values, dtype=value_type.polars)})
    connection = _connection().cursor()
    connection.register("frame", frame)
    rows = connection.execute(f"SELECT {time_sql('value', value_type)} FROM frame ORDER BY place").fetchall()
    return [time for (time,) in rows]


@pytest.fixture(params=[in_polars, in_duckdb], ids=["polars", "duckdb"])
def read(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_every_form_of_text_is_read_as_utc_to_the_microsecond(read):
    assert dict(zip(FORMS, read([*FORMS], ValueType.TEXT), strict=True)) == FORMS


def test_text_that_is_no_time_is_null(read):
    assert dict(zip(NO_TIMES, read(NO_TIMES, ValueType.TEXT), strict=True)) == dict.fromkeys(NO_TIMES)


def test_texts_of_several_forms_keep_their_places(read):
    texts = ["2024-06-01 12:30:45.000", None, "x", "2024-06-01", "2024-06-01 12:30:45.100000", str(NOON_S), None]
    midnight = NOON.replace(hour=0, minute=0, second=0)
    expected = [NOON, None, None, midnight, NOON.replace(microsecond=100_000), NOON, None]
    assert read(texts, ValueType.TEXT) == expected


@pytest.mark.parametrize("texts", [[], [None], [None, None]])
def test_a_column_without_text_has_no_times(read, texts):
    assert read(texts, ValueType.TEXT) == texts


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
def test_epochs_are_told_apart_by_their_size(read, factor):
    assert read([NOON_S * factor, -NOON_S * factor], ValueType.LONG) == [NOON, EPOCH - (NOON - EPOCH)]


def test_nanoseconds_are_cut_off_towards_the_past(read):
    past = -1_000_000_000_000_000_001
    assert read([NOON_S * 10**9 + 1_999, past], ValueType.LONG) == [
        NOON + timedelta(microseconds=1),
        EPOCH + timedelta(microseconds=past // 1000),
    ]


@pytest.mark.parametrize("value_type", [ValueType.LONG, ValueType.DOUBLE])
def test_a_number_that_is_zero_is_null(read, value_type):
    assert read([0, None], value_type) == [None, None]


def test_a_timestamp_that_is_zero_is_null_before_it_is_stored():
    assert in_polars([EPOCH, NOON, None], ValueType.TIME) == [None, NOON, None]


def test_a_double_may_have_a_fraction_that_counts(read):
    assert read([NOON_S + 0.25, NOON_S * 1e3 + 0.5], ValueType.DOUBLE) == [
        NOON.replace(microsecond=250_000),
        NOON.replace(microsecond=500),
    ]


def test_no_double_breaks_the_reading(read):
    values = [float("nan"), float("inf"), -float("inf"), 1e300, -1e300, -0.0, 5e-324]
    assert read(values, ValueType.DOUBLE) == [None] * len(values)


def test_a_boolean_is_never_a_time(read):
    assert read([True, False, None], ValueType.BOOLEAN) == [None, None, None]


def test_a_timestamp_outside_the_years_1_to_9999_is_null_in_polars():
    first, last = -62_135_596_800_000_000, 253_402_300_799_999_999
    times = pl.Series([first - 1, first, last, last + 1, 2**63 - 1]).cast(pl.Datetime("us"))
    read = pl.select(time_from(pl.lit(times), ValueType.TIME)).to_series()
    assert read.to_physical().to_list() == [None, first, last, None, None]


_digits = st.text("0123456789", min_size=1, max_size=21)
_two = st.one_of(st.integers(0, 60), st.integers(0, 99)).map("{:02}".format)
_dates = st.builds(
    "{:04}-{:02}-{:02}".format, st.sampled_from([0, 1, 1969, 1970, 2024, 9999]), *[st.integers(0, 32)] * 2
)
_fractions = st.one_of(st.just(""), _digits.map(".{}".format), st.just("."))
_zones = st.one_of(
    st.sampled_from(["", "Z", "z", " ", "+", "-00"]),
    st.builds("{}{}{}{}".format, st.sampled_from("+-"), _two, st.sampled_from(["", ":"]), st.one_of(_two, st.just(""))),
)
_clocks = st.one_of(
    st.builds("{}:{}{}{}".format, _two, _two, _two.map(":{}".format) | st.just(""), _fractions),
    st.builds("{}:{}:{}.{}".format, _two, _two, _two, _digits),
)
_moments = st.builds("{}{}{}{}".format, _dates, st.sampled_from("T  \t"), _clocks, _zones)
_texts = st.one_of(
    _moments,
    st.datetimes().map(str),
    st.datetimes().map(lambda time: time.isoformat(timespec="milliseconds")),
    _dates,
    st.builds("{}{}".format, st.sampled_from(["", "-", "+"]), _digits),
    st.text(max_size=8),
    st.none(),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(_texts, min_size=10, max_size=30))
@example(["0001-01-01 00:00:00+00:01", "9999-12-31 23:59:59.999999-00:01", "-0", "2024-02-29 23:59:59.9999999"])
def test_polars_and_duckdb_read_texts_as_plain_python_does(texts):
    expected = [as_time(text) for text in texts]
    assert in_polars(texts, ValueType.TEXT) == expected
    assert in_duckdb(texts, ValueType.TEXT) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.sampled_from(SIGNED_EDGES), min_size=1, max_size=30))
@example([-(2**63), 2**63 - 1, *SIGNED_EDGES])
def test_polars_and_duckdb_read_longs_as_plain_python_does(numbers):
    expected = [as_time(number) for number in numbers]
    assert in_polars(numbers, ValueType.LONG) == expected
    assert in_duckdb(numbers, ValueType.LONG) == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats() | st.floats(-1e18, 1e18) | st.floats(1e9, 2e9), min_size=1, max_size=30))
@example([4.922080692580195e19, 9.223372036854775807e18, -9.223372036854775808e18, 1e17, 99999999999999984.0])
def test_polars_and_duckdb_read_doubles_alike(numbers):
    assert in_polars(numbers, ValueType.DOUBLE) == in_duckdb(numbers, ValueType.DOUBLE)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(1e14, 1e20).map(lambda number: float(int(number))), min_size=1, max_size=30))
def test_doubles_that_are_whole_are_read_as_plain_python_does(numbers):
    signed = [*numbers, *(-number for number in numbers)]
    assert in_polars(signed, ValueType.DOUBLE) == [as_time(number) for number in signed]


@settings(max_examples=40, deadline=None)
@given(st.lists(_texts, min_size=1, max_size=20))
def test_the_fast_reading_of_the_ordinary_form_agrees_with_the_full_grammar(texts):
    full = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String)}).select(text_time(pl.col("text"))).to_series()
    assert in_polars(texts, ValueType.TEXT) == full.to_list()
