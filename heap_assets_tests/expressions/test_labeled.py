"""Labeled properties: worked examples, then Polars against DuckDB against plain Python on random definitions.

Here: what definitions mean. Not here: how a file of definitions is read (sources/heap/test_property_definitions.py).
"""

import json
import math
import re
from datetime import datetime

import duckdb
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heap_assets.expressions.duckdb.labeled import labeled_sql
from heap_assets.expressions.polars.labeled import labeled_expr
from heap_assets.sources.heap.property_definitions import parse_definitions

DUCKDB_TYPES = {
    pl.Int64(): "BIGINT",
    pl.Float64(): "DOUBLE",
    pl.String(): "VARCHAR",
    pl.Boolean(): "BOOLEAN",
    pl.Datetime("us"): "TIMESTAMP",
}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def the_definition(entry):
    parsed = parse_definitions(json.dumps([entry]))
    assert not parsed.skipped
    return parsed.definitions[0]


def in_polars(entry, frame):
    computed = frame.with_columns(labeled_expr(the_definition(entry), frame.schema))[entry["property_name"]]
    return computed.dtype, computed.to_list()


def in_duckdb(entry, frame):
    types = {name: DUCKDB_TYPES[dtype] for name, dtype in frame.schema.items()}
    sql = labeled_sql(the_definition(entry), types, reference=lambda name: f"t.{quoted(name)}")
    with duckdb.connect() as connection:
        connection.register("t", frame)
        rows = connection.execute(f"SELECT typeof({sql}), {sql} AS {quoted(entry['property_name'])} FROM t").fetchall()
    assert len({duckdb_type for duckdb_type, _ in rows}) <= 1
    return next((duckdb_type for duckdb_type, _ in rows), None), [value for _, value in rows]


def in_both(entry, frame):
    dtype, values = in_polars(entry, frame)
    duckdb_type, same = in_duckdb(entry, frame)
    assert list(map(repr, values)) == list(map(repr, same))
    assert duckdb_type in {DUCKDB_TYPES[dtype], None}
    return values


def constant(value):
    return {"type": "constant", "value": value}


def field(name):
    return {"type": "field", "value": name}


def when(column, operator, value=None, *, then="yes"):
    clause = {"property_name": column, "operator": operator, "value": value}
    return {"value": constant(then), "condition": {"clauses": {"A": clause}}}


def property_of(*cases, default=None, name="labeled"):
    entry = {"property_name": name, "type": "event", "cases": list(cases)}
    return entry if default is None else {**entry, "default_value": default}


def holds(column, operator, value, values, dtype=None):
    frame = pl.DataFrame({column: pl.Series(values, dtype=dtype)})
    return [label == "yes" for label in in_both(property_of(when(column, operator, value)), frame)]


def test_the_first_case_that_holds_wins_then_the_default_then_null():
    frame = pl.DataFrame({"medium": ["cpc", "email", None], "source": ["google", "news", None]})
    cases = [when("medium", "=", "cpc", then="Paid"), when("source", "isdef", then="Tagged")]
    assert in_both(property_of(*cases, default=constant("Direct")), frame) == ["Paid", "Tagged", "Direct"]
    assert in_both(property_of(*cases), frame) == ["Paid", "Tagged", None]
    assert in_both(property_of(default=field("source")), frame) == ["google", "news", None]


def test_and_binds_before_or():
    clauses = {name: {"property_name": name, "operator": "=", "value": True} for name in "abc"}
    case = {"value": constant("yes"), "condition": {"clauses": clauses, "formula": "a | b & c"}}
    frame = pl.DataFrame({"a": [True, False, False], "b": [False, True, True], "c": [False, False, True]})
    assert in_both(property_of(case), frame) == ["yes", None, "yes"]
    case["condition"]["formula"] = "(a | b) & c"
    assert in_both(property_of(case), frame) == [None, None, "yes"]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("=", "Ab", [True, False, False]),
        ("!=", "Ab", [False, True, True]),
        ("contains", "b", [True, True, False]),
        ("contains", "", [True, True, False]),
        ("notcontains", "b", [False, False, True]),
        ("matches", "A*", [True, False, False]),
        ("notmatches", "A*", [False, True, True]),
        ("isdef", None, [True, True, False]),
        ("notdef", None, [False, False, True]),
        ("includedin", ["x", "ab", None], [False, True, False]),
        ("notincludedin", ["x", "ab"], [True, False, True]),
        ("includedin", [], [False, False, False]),
        ("notincludedin", [], [True, True, True]),
        ("=", None, [False, False, False]),
        ("!=", None, [True, True, True]),
        ("<", "b", [False, False, False]),
    ],
)
def test_operators_compare_case_sensitively_and_null_has_only_the_negative_ones(operator, value, expected):
    assert holds("column", operator, value, ["Ab", "ab", None]) == expected


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("*shop*", ["shop", "a shop\nb", "\nshop"], ["sho", "SHOP"]),
        ("50%_off", ["50%_off"], ["50 off", "50%off", "500_off", "50%_off\n"]),
        ("a.c", ["a.c"], ["abc"]),
        ("[*]", ["[]", "[x]"], ["x"]),
        ("!*\\", ["!\\", "! \\"], ["\\", "!"]),
        ("", [""], ["a"]),
        ("**", ["", "a"], []),
    ],
)
def test_a_star_is_the_only_wildcard_and_a_pattern_covers_the_whole_value(pattern, matching, others):
    assert holds("column", "matches", pattern, [*matching, *others]) == [True] * len(matching) + [False] * len(others)


def test_a_pattern_can_come_from_a_column():
    frame = pl.DataFrame({"path": ["/a/b", "/a%b", None, "(x"], "pattern": ["/a/*", "/a_b", "*", "(*"]})
    assert in_both(property_of(when("path", "matches", field("pattern"))), frame) == ["yes", None, None, "yes"]


def test_numbers_are_ordered_and_equal_as_numbers_whatever_their_type():
    assert holds("amount", "<", 5, [4.9, 5.0, None]) == [True, False, False]
    assert holds("amount", ">=", 4.5, [4, 5, None]) == [False, True, False]
    assert holds("amount", "=", 5.0, [5, 6]) == [True, False]
    assert holds("amount", "=", 0, [0.0, -0.0]) == [True, True]
    assert holds("amount", "includedin", [5, 1.5], [5.0, 1.5, 2.0]) == [True, True, False]


def test_order_needs_numbers_on_both_sides():
    assert holds("amount", "<", "5", [4]) == [False]
    assert holds("amount", "<", 5, ["4"]) == [False]
    assert holds("amount", "<=", 1, [True]) == [False]
    assert holds("time", ">", 0, [datetime(2024, 6, 1)]) == [False]  # noqa: DTZ001


def test_values_of_different_types_are_equal_if_their_texts_are():
    assert holds("amount", "=", "5", [5]) == [True]
    assert holds("amount", "=", "5", [5.0]) == [False]
    assert holds("amount", "=", "5.0", [5.0]) == [True]
    assert holds("flag", "=", constant(value=True), ["true", "True"]) == [True, False]
    assert holds("flag", "includedin", ["true", 5], [True, False]) == [True, False]
    assert holds("amount", "contains", "e+", [1e16, 1e15]) == [True, False]
    assert holds("time", "matches", "2024-06-01 *", [datetime(2024, 6, 1)]) == [True]  # noqa: DTZ001


def test_a_nan_is_no_number_but_has_a_text():
    values = [math.nan, math.inf]
    assert holds("amount", ">", 5, values) == [False, True]
    assert holds("amount", "<=", 5, values) == [False, False]
    assert holds("amount", "=", "nan", values) == [True, False]
    assert in_both(property_of(when("amount", "!=", field("amount"))), pl.DataFrame({"amount": values})) == [
        "yes",
        None,
    ]


def test_a_column_that_the_table_lacks_is_null():
    frame = pl.DataFrame({"other": [1, 2]})
    assert in_both(property_of(when("plan", "notdef")), frame) == ["yes", "yes"]
    assert in_both(property_of(when("plan", "=", "gold"), default=field("plan")), frame) == [None, None]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], pl.Int64()),
        ([1, 2.5], pl.Float64()),
        ([1, "x"], pl.String()),
        ([True, False], pl.Boolean()),
        ([True, 1], pl.String()),
        ([None, 2.5], pl.Float64()),
        ([None, None], pl.String()),
    ],
)
def test_a_property_has_the_narrowest_type_that_holds_all_its_values(values, expected):
    frame = pl.DataFrame({"n": [1, 2]})
    first, second = values
    entry = property_of(when("n", "=", 1, then=first), default=constant(second))
    assert in_polars(entry, frame)[0] == expected
    in_both(entry, frame)


def test_values_of_mixed_types_take_their_text_forms():
    frame = pl.DataFrame({"flag": [True, False], "time": [datetime(2024, 6, 1, 12, 0, 0, 5), None]})  # noqa: DTZ001
    entry = property_of(when("flag", "=", "true", then=None), default=constant(1e-7))
    entry["cases"][0]["value"] = field("time")
    assert in_both(entry, frame) == ["2024-06-01 12:00:00.000005", "1e-07"]


@pytest.mark.parametrize(
    "name", ["plain", "", "*", "^a.*$", 'say "hi"', "it's", "a.b/c\\d", "größe 😀", "$1", "semi;--", "a\nb"]
)
def test_names_and_texts_may_hold_anything(name):
    frame = pl.DataFrame({"abc": ["other"], name: ["x" + name]})
    reference = name or "abc"
    entry = property_of(when(reference, "contains", name, then=name), name=f"computed {name}")
    assert in_both(entry, frame) == [name]


def test_a_text_may_hold_a_nul():
    assert holds("column", "contains", "a\0b", ["xa\0b", "xa", "ab"]) == [True, False, False]


def test_definitions_may_be_long():
    frame = pl.DataFrame({"n": [0, 499, 2000]})
    cases = [when("n", "=", number, then=str(number)) for number in range(500)]
    assert in_both(property_of(*cases), frame) == ["0", "499", None]
    many = {f"c{number}": {"property_name": "n", "operator": "=", "value": number} for number in range(2000)}
    case = {"value": constant("yes"), "condition": {"clauses": many, "formula": " | ".join(many)}}
    assert in_both(property_of(case), frame) == ["yes", "yes", None]
    assert holds("n", "includedin", list(range(5000)), [0, 4999, 5000]) == [True, True, False]


COLUMNS = {
    "long": pl.Int64(),
    "other long": pl.Int64(),
    "double": pl.Float64(),
    "other double": pl.Float64(),
    'te"xt': pl.String(),
    "other.text": pl.String(),
    "fl'ag": pl.Boolean(),
    "time": pl.Datetime("us"),
}
LONGS = st.sampled_from([0, 1, -1, 5, 10**16, 2**63 - 1, -(2**63)]) | st.integers(-(2**63), 2**63 - 1)
FINITE = st.sampled_from([0.0, -0.0, 1.0, 5.0, 0.1, 1e16, 1e-5, 1e-7]) | st.floats(
    allow_nan=False, allow_infinity=False
)
DOUBLES = FINITE | st.sampled_from([math.nan, math.inf, -math.inf])
TEXTS = st.text("aA*%_!\\.\n'é0", max_size=4) | st.sampled_from(
    ["5", "5.0", "1", "true", "nan", "1e+16", "1970-01-01 00:00:00"]
)
TIMES = st.datetimes().map(lambda time: time.replace(fold=0)) | st.just(datetime(1970, 1, 1))  # noqa: DTZ001
VALUES = {
    pl.Int64(): LONGS,
    pl.Float64(): DOUBLES,
    pl.String(): TEXTS,
    pl.Boolean(): st.booleans(),
    pl.Datetime("us"): TIMES,
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | VALUES[dtype] for name, dtype in COLUMNS.items()}), max_size=6)
NAMES = st.sampled_from([*COLUMNS, "a column that is not there"])
SCALARS = st.none() | st.booleans() | LONGS | FINITE | TEXTS
TYPED = st.builds(constant, SCALARS) | st.builds(field, NAMES)
COMPARED = ["=", "!=", "contains", "notcontains", "matches", "notmatches", "<", "<=", ">", ">=", "isdef", "notdef"]
CLAUSES = st.builds(
    lambda column, operator, value: {"property_name": column, "operator": operator, "value": value},
    NAMES,
    st.sampled_from(COMPARED),
    TYPED | SCALARS,
) | st.builds(
    lambda column, operator, values: {"property_name": column, "operator": operator, "value": values},
    NAMES,
    st.sampled_from(["includedin", "notincludedin"]),
    st.lists(SCALARS, max_size=4),
)
FORMULAS = st.recursive(
    st.sampled_from("ABC"),
    lambda parts: st.tuples(st.sampled_from("&|"), st.lists(parts, min_size=2, max_size=3)),
    max_leaves=6,
)


def written(formula, outer="|"):
    if isinstance(formula, str):
        return formula
    sign, parts = formula
    inner = f" {sign}".join(written(part, sign) for part in parts)
    return f"({inner})" if sign == "|" and outer == "&" else inner


CASES = st.builds(
    lambda value, clauses, formula: (
        {"value": value, "condition": {"clauses": clauses, "formula": written(formula)}},
        formula,
    ),
    TYPED,
    st.fixed_dictionaries(dict.fromkeys("ABC", CLAUSES)),
    FORMULAS,
)


def plain_text(value):
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def plain_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def plain_value(typed, row):
    if isinstance(typed, dict):
        return row.get(typed["value"]) if typed["type"] == "field" else typed["value"]
    return typed


def plain_equal(left, right):
    if left is None or right is None:
        return False
    if plain_number(left) and plain_number(right):
        return left == right if type(left) is type(right) else float(left) == float(right)
    return plain_text(left) == plain_text(right)


def plain_compared(operator, left, right):
    if left is None or right is None:
        return False
    if operator == "contains":
        return plain_text(right) in plain_text(left)
    if operator == "matches":
        pattern = ".*".join(map(re.escape, plain_text(right).split("*")))
        return re.fullmatch(pattern, plain_text(left), re.DOTALL) is not None
    if operator == "=":
        return plain_equal(left, right)
    if not (plain_number(left) and plain_number(right)):
        return False
    if type(left) is not type(right):
        left, right = float(left), float(right)
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


def plain_clause(clause, row):
    operator, left = clause["operator"], row.get(clause["property_name"])
    if operator in {"isdef", "notdef"}:
        return (left is not None) == (operator == "isdef")
    if operator in {"includedin", "notincludedin"}:
        return any(plain_equal(left, value) for value in clause["value"]) == (operator == "includedin")
    right = plain_value(clause["value"], row)
    negative = {"!=": "=", "notcontains": "contains", "notmatches": "matches"}
    if operator in negative:
        return not plain_compared(negative[operator], left, right)
    return plain_compared(operator, left, right)


def plain_formula(formula, clauses, row):
    if isinstance(formula, str):
        return plain_clause(clauses[formula], row)
    sign, parts = formula
    return {"&": all, "|": any}[sign]([plain_formula(part, clauses, row) for part in parts])


def plain_type(typed):
    if typed["type"] == "field":
        return COLUMNS.get(typed["value"])
    return {bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64(), str: pl.String()}.get(type(typed["value"]))


def plain_property(cases, default, rows):
    types = {plain_type(typed) for typed in [*(case["value"] for case, _ in cases), default]} - {None}
    result = types.pop() if len(types) == 1 else pl.Float64() if types == {pl.Int64(), pl.Float64()} else pl.String()
    chosen = [
        next(
            (case["value"] for case, formula in cases if plain_formula(formula, case["condition"]["clauses"], row)),
            default,
        )
        for row in rows
    ]
    values = [plain_value(typed, row) for typed, row in zip(chosen, rows, strict=True)]
    form = {pl.Float64(): float, pl.String(): plain_text}.get(result, lambda value: value)
    return result, [None if value is None else form(value) for value in values]


@settings(max_examples=100, deadline=None)
@given(st.lists(CASES, max_size=3), TYPED, ROWS)
@example([], {"type": "field", "value": "time"}, [dict.fromkeys(COLUMNS)])
def test_polars_and_duckdb_compute_what_plain_python_computes(cases, default, rows):
    frame = pl.DataFrame(rows, schema=COLUMNS)
    entry = property_of(*(case for case, _ in cases), default=default)
    expected_type, expected = plain_property(cases, default, rows)
    dtype, values = in_polars(entry, frame)
    assert (dtype, list(map(repr, values))) == (expected_type, list(map(repr, expected)))
    duckdb_type, same = in_duckdb(entry, frame)
    assert duckdb_type in {DUCKDB_TYPES[expected_type], None}
    assert list(map(repr, same)) == list(map(repr, expected))
