from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import Table


def table(columns, *rows):
    return {("s", "t"): Table(dict.fromkeys(columns.split(), "BIGINT"), list(rows))}


def test_the_order_of_columns_and_rows_is_no_difference():
    assert differences(table("a b", (1, 2), (3, 4)), table("b a", (4, 3), (2, 1))) == []


def test_rows_are_counted():
    assert differences(table("a", (1,), (1,)), table("a", (1,))) == ["s.t: row missing: {'a': '1'}"]


def test_numbers_of_different_types_differ():
    assert len(differences(table("a", (1,)), table("a", (1.0,)))) == 2
    assert len(differences(table("a", (1,)), table("a", (True,)))) == 2


def test_tables_and_columns_are_named():
    assert differences(table("a"), {}) == ["s.t: missing"]
    assert differences({}, table("a")) == ["s.t: not expected"]
    assert differences(table("a"), table("b")) == [
        "s.t: column a is None, expected BIGINT",
        "s.t: column b is BIGINT, expected None",
    ]
