from datetime import datetime

import pytest

from heap_assets_tests.oracles.typing_rules import as_id, as_text, as_time, in_type, resolved_type

NINE_THIRTY = datetime(2024, 3, 10, 9, 30)  # noqa: DTZ001 (the oracle speaks UTC without zone)


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-10T09:30:00Z",
        "2024-03-10 09:30",
        "2024-03-10T09:30:00.000000999",
        "2024-03-10T11:00:00.0+01:30",
        "2024-03-10 04:30-0500",
        "2024-03-10 10:30:00+01",
        "1710063000",
        "1710063000000",
        "1710063000000000",
        "1710063000000000999",
        "01710063000",
    ],
)
def test_text_of_a_moment_in_every_form_is_that_moment(text):
    assert as_time(text) == NINE_THIRTY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-02-30",
        "2024-3-10",
        "2024-03-10T09",
        "2024-03-10T24:00",
        "2024-03-10T09:30:60",
        "2024-03-10T09:30:00.Z",
        "2024-03-10T09:30:00 Z",
        "2024-03-10T09:30:00z",
        "2024-03-10T09:30:00+1",
        "2024-03-10T09:30:00+24:00",
        "2024-03-10Z",
        " 2024-03-10",
        "2024-03-10\n",
        "1710063000.5",
        "0",
        "000",
        "0001-01-01T00:00+01",
        "99999999999999999999",
    ],
)
def test_text_that_is_no_moment_is_none(text):
    assert as_time(text) is None


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (99_999_999_999, "5138-11-16T09:46:39"),
        (100_000_000_000, "1973-03-03T09:46:40"),
        (99_999_999_999_999, "5138-11-16T09:46:39.999"),
        (100_000_000_000_000, "1973-03-03T09:46:40"),
        (99_999_999_999_999_999, "5138-11-16T09:46:39.999999"),
        (100_000_000_000_000_000, "1973-03-03T09:46:40"),
        (-1, "1969-12-31T23:59:59"),
        (1_710_063_000.25, "2024-03-10T09:30:00.25"),
    ],
)
def test_the_size_of_an_epoch_tells_its_unit(number, moment):
    assert as_time(number) == datetime.fromisoformat(moment)


@pytest.mark.parametrize("value", [0, 0.0, True, float("nan"), None])
def test_zero_and_what_is_no_number_are_no_moment(value):
    assert as_time(value) is None


def test_only_whole_numbers_and_digits_are_ids():
    assert [as_id(value) for value in (7, "7", "-7", 7.0)] == [7, 7, -7, 7]
    assert [as_id(value) for value in ("7.0", "7 ", "\u0667", "", 7.5, False, None, 2**63)] == [None] * 8


@pytest.mark.parametrize(
    ("types", "widest"),
    [
        ([], "VARCHAR"),
        (["BIGINT"], "BIGINT"),
        (["BIGINT", "DOUBLE"], "DOUBLE"),
        (["BOOLEAN"], "BOOLEAN"),
        (["BOOLEAN", "BIGINT"], "VARCHAR"),
        (["DOUBLE", "VARCHAR"], "VARCHAR"),
        (["TIMESTAMP", "VARCHAR"], "TIMESTAMP"),
    ],
)
def test_a_column_has_the_narrowest_type_that_holds_all(types, widest):
    assert resolved_type(types) == widest


def test_numbers_and_flags_among_text_have_one_text_form():
    assert [as_text(value) for value in (5, 5.0, 0.1, 1e16, True, False, "x")] == [
        "5",
        "5.0",
        "0.1",
        "1e+16",
        "true",
        "false",
        "x",
    ]


def test_a_long_among_doubles_is_a_double():
    assert repr(in_type(5, "DOUBLE")) == "5.0"
