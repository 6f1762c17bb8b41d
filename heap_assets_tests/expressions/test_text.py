"""Text forms: Polars and DuckDB write what Python writes.

Here: exact doubles, longs, booleans, times. Not here: where text forms are used.
"""

import math
import random
import struct
from datetime import datetime

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.expressions.duckdb.text import text_form_sql
from heap_assets.expressions.polars.text import text_form

ALL_DOUBLES = st.floats(width=64)
EDGES = [0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e15, 1e16, 1e17, 123456789012345680.0]
POWERS = [10.0**exponent for exponent in range(-323, 309)]
AROUND_THE_EXPONENT = [1e-4, 9.999e-5, 1e-5, 1.5e-5, 9.999999999999999e-06, 1e-6, 1.25e-9, 1e-10, -3e-5, -1.234e-5]


def in_polars(values, dtype):
    return pl.DataFrame({"value": pl.Series(values, dtype=dtype)}).select(text_form(pl.col("value"), dtype))["value"]


def in_duckdb(values, dtype, duckdb_type):
    frame = pl.DataFrame({"value": pl.Series(values, dtype=dtype)})
    with duckdb.connect() as connection:
        connection.register("frame", frame)
        rows = connection.execute(f"SELECT {text_form_sql('value', duckdb_type)} FROM frame").fetchall()
    return [text for (text,) in rows]


def every_kind_of_double(count):
    source = random.Random(11)
    bits = [struct.unpack("<d", source.randbytes(8))[0] for _ in range(count)]
    decimals = [source.randint(-(10**18), 10**18) / 10 ** source.randint(0, 24) for _ in range(count)]
    near = [source.uniform(1e-6, 1e-3) for _ in range(count)]
    return [*EDGES, *POWERS, *AROUND_THE_EXPONENT, *bits, *decimals, *near]


@settings(deadline=None)
@given(st.lists(ALL_DOUBLES, min_size=1, max_size=20))
def test_polars_writes_every_double_as_python_does(values):
    assert in_polars(values, pl.Float64()).to_list() == [repr(value) for value in values]


def test_polars_and_duckdb_write_many_doubles_of_all_sizes_as_python_does():
    values = every_kind_of_double(20_000)
    expected = [repr(value) for value in values]
    assert in_polars(values, pl.Float64()).to_list() == expected
    assert in_duckdb(values, pl.Float64(), "DOUBLE") == expected


def test_a_nan_has_no_sign_and_infinities_are_words():
    negative_nan = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]
    values = [math.nan, negative_nan, math.inf, -math.inf, None]
    expected = ["nan", "nan", "inf", "-inf", None]
    assert in_polars(values, pl.Float64()).to_list() == expected
    assert in_duckdb(values, pl.Float64(), "DOUBLE") == expected


@pytest.mark.parametrize(
    ("values", "dtype", "duckdb_type", "expected"),
    [
        ([0, -1, 2**63 - 1, -(2**63), None], pl.Int64(), "BIGINT", ["0", "-1", str(2**63 - 1), str(-(2**63)), None]),
        ([True, False, None], pl.Boolean(), "BOOLEAN", ["true", "false", None]),
        (["", "5.0", "é'\n\0", None], pl.String(), "VARCHAR", ["", "5.0", "é'\n\0", None]),
        ([0.1, 16777216.0], pl.Float32(), "FLOAT", ["0.10000000149011612", "16777216.0"]),
    ],
)
def test_other_types_have_their_plain_form(values, dtype, duckdb_type, expected):
    assert in_polars(values, dtype).to_list() == expected
    assert in_duckdb(values, dtype, duckdb_type) == expected


@settings(max_examples=30, deadline=None)
@given(st.lists(st.datetimes() | st.datetimes().map(lambda time: time.replace(microsecond=0)), min_size=1, max_size=20))
def test_times_are_written_to_the_second_and_with_six_digits_if_there_is_a_fraction(values):
    expected = [str(value) for value in values]
    assert in_polars(values, pl.Datetime("us")).to_list() == expected
    assert in_duckdb(values, pl.Datetime("us"), "TIMESTAMP") == expected


def test_times_outside_the_years_1_to_9999_have_no_text_and_break_nothing():
    first, last = -62135596800_000_000, 253402300799_999_999
    micros = [-(2**63), -(2**62), first - 1, first, last, last + 1, 2**62, 2**63 - 1]
    expected = [None, None, None, str(datetime.min), str(datetime.max), None, None, None]  # noqa: DTZ901
    times = pl.Series(micros).cast(pl.Datetime("us"))
    assert in_polars(times, pl.Datetime("us")).to_list() == expected
    assert in_duckdb(times, pl.Datetime("us"), "TIMESTAMP") == expected
