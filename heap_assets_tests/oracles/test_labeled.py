import json

import pytest

from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.conditions import Unsupported, condition
from heap_assets_tests.oracles.labeled import parsed
from heap_assets_tests.oracles.tables import published_tables

S, M = "main_production", "main_production_migrated"
KEY = "event_id:long user_id:long time:long"


def clause(operator, *value, column="it"):
    return {"property_name": column, "operator": operator} | ({"value": value[0]} if value else {})


def holds(operator, *value, it):
    return condition({"clauses": {"A": clause(operator, *value)}})({"it": it, "other": "b"}.get)


@pytest.mark.parametrize(
    ("operator", "value", "it"),
    [
        ("=", "a", "a"),
        ("=", 5.0, 5),
        ("=", float(2**53), 2**53 + 1),
        ("=", "5", 5),
        ("=", True, True),
        ("=", "true", True),
        ("contains", "b", "abc"),
        ("contains", "", "abc"),
        ("contains", 5, 151),
        ("matches", "a*c", "a\nc"),
        ("matches", "*", ""),
        ("matches", "a.c", "a.c"),
        ("includedin", ["x", 5], "5"),
        ("<", 6, 5.5),
        (">=", {"type": "constant", "value": 5}, 5),
        ("=", {"type": "field", "value": "other"}, "b"),
    ],
)
def test_a_clause_holds(operator, value, it):
    assert holds(operator, value, it=it)
    negative = {"=": "!=", "contains": "notcontains", "matches": "notmatches", "includedin": "notincludedin"}
    if operator in negative:
        assert not holds(negative[operator], value, it=it)


@pytest.mark.parametrize(
    ("operator", "value", "it"),
    [
        ("=", "A", "a"),
        ("=", "5", 5.0),
        ("=", 1, True),
        ("=", None, "a"),
        ("contains", "B", "abc"),
        ("matches", "b", "abc"),
        ("matches", "a?c", "abc"),
        ("includedin", [], "a"),
        ("includedin", [None], "a"),
        ("<", "6", 5),
        ("<", 6, "5"),
        ("<", 6, True),
        (">", 5, 5),
    ],
)
def test_a_clause_does_not_hold(operator, value, it):
    assert not holds(operator, value, it=it)


@pytest.mark.parametrize(
    ("operator", "value"), [("!=", "a"), ("notcontains", "a"), ("notmatches", "*"), ("notdef", "")]
)
def test_on_null_only_negative_operators_hold(operator, value):
    assert holds(operator, value, it=None)
    assert holds("notincludedin", [None], it=None)
    assert not any(holds(name, "*", it=None) for name in ("=", "contains", "matches", "<", "isdef"))


@pytest.mark.parametrize(
    ("formula", "true"),
    [
        ("A | B & C", {"A"}),
        ("(A | B) & C", {"A", "C"}),
        ("A&(B|C)", {"A", "B"}),
        ("((A))", {"A"}),
    ],
)
def test_and_binds_before_or(formula, true):
    clauses = {name: clause("isdef", column=name) for name in "ABC"}

    assert condition({"clauses": clauses, "formula": formula})(dict.fromkeys(true, 1).get)


@pytest.mark.parametrize("formula", ["A & B", "(A | C) & B", "C", "B | (C)"])
def test_a_formula_that_is_false(formula):
    clauses = {name: clause("isdef", column=name) for name in "ABC"}

    assert not condition({"clauses": clauses, "formula": formula})({"A": 1}.get)


@pytest.mark.parametrize("formula", [None, "", "A &", "A B", "!A", "(A", "A)", "D", 5])
def test_a_formula_that_the_grammar_lacks_is_unsupported(formula):
    clauses = {name: clause("isdef", column=name) for name in "AB"}

    with pytest.raises((Unsupported, AttributeError)):
        condition({"clauses": clauses, "formula": formula})


def definition(name, *cases, kind="event", **more):
    return {"property_name": name, "type": kind, "cases": list(cases)} | more


def case(value, *clauses, formula=None):
    return {
        "value": value if isinstance(value, dict) else {"type": "constant", "value": value},
        "condition": {"clauses": dict(zip("ABC", clauses, strict=False))} | ({"formula": formula} if formula else {}),
    }


PAID = definition("channel", case("paid", clause("=", "cpc", column="medium")))


@pytest.mark.parametrize(
    "unusable",
    [
        "text",
        PAID | {"type": "session"},
        definition("a") | {"cases": None},
        definition("a", case("x", clause("isdef")), description="x"),
        definition("a", case("x", clause("isdef")) | {"name": "x"}),
        definition("a", case("x", clause("isdef") | {"negated": True})),
        definition("a", case("x", clause("=", {"type": "constant", "value": "x", "unit": "x"}))),
        definition("a", case("x", clause("isdef", {"type": "function", "value": "x"}))),
        definition("a", case("x", clause("regex", "x"))),
        definition("a", case("x", clause("="))),
        definition("a", case("x", clause("includedin", "x"))),
        definition("a", case("x", clause("=", ["x"]))),
        definition("a", case({"type": "function", "value": "x"}, clause("isdef"))),
        definition("a", {"value": "bare", "condition": {"clauses": {"A": clause("isdef")}}}),
        definition("a", {"value": {"type": "constant", "value": "no condition"}}),
    ],
)
def test_a_definition_that_uses_anything_else_is_skipped_alone(unusable):
    found = parsed([unusable, PAID])

    assert [kept.name for kept in found["event"]] == ["channel"]


def test_a_definition_that_comes_twice_is_skipped_both_times():
    found = parsed([PAID, definition("tier", case("x", clause("isdef"))), PAID | {"cases": None}])

    assert [kept.name for kept in found["event"]] == ["tier"]
    assert len(parsed([PAID, PAID | {"type": "user"}])["event"]) == 1


def published(root, definitions, **files):
    write_dump(
        root, dump(1, files, definitions=definitions if isinstance(definitions, str) else json.dumps(definitions))
    )
    return published_tables(root)


def column(table, name):
    return [row[list(table.columns).index(name)] for row in table.rows]


def test_the_first_true_case_wins_then_the_default_then_null(tmp_path):
    first = case({"type": "field", "value": "medium"}, clause("contains", "c", column="medium"))
    second = case("other", clause("isdef", column="medium"))
    otherwise = {"type": "constant", "value": "none"}
    file = data_file(f"{KEY} medium", (1, 1, 0, "cpc"), (2, 1, 0, "mail"), (3, 1, 0, None))

    tables = published(
        tmp_path,
        [definition("a", first, second), definition("b", first, second, default_value=otherwise)],
        signup=file,
    )

    assert column(tables[M, "signup"], "a") == ["cpc", "other", None]
    assert column(tables[M, "signup"], "b") == ["cpc", "other", "none"]
    assert column(tables[M, "all_events"], "b") == ["cpc", "other", "none"]
    assert "a" not in tables[S, "signup"].columns


def test_a_column_that_is_delivered_is_not_computed_and_one_that_lacks_is_null(tmp_path):
    delivered = data_file(f"{KEY} Channel", (1, 1, 0, "delivered"))
    without = data_file(KEY, (2, 1, 0))

    tables = published(tmp_path, [PAID], signup=delivered, order=without)

    assert "channel" not in tables[M, "signup"].columns
    assert column(tables[M, "order"], "channel") == [None]
    assert "channel" not in tables[M, "all_events"].columns
    assert tables[M, "all_events"].columns["Channel"] == "VARCHAR"


def test_a_user_property_is_evaluated_on_the_merged_row(tmp_path):
    users = data_file("user_id:long plan city", (1, "gold", None), (2, None, "Rome"))
    both = case("yes", clause("isdef", column="plan"), clause("isdef", column="city"), formula="A & B")

    tables = published(
        tmp_path,
        [definition("both", both, kind="user")],
        users=users,
        user_migrations=data_file("from_user_id:long to_user_id:long", (1, 2)),
    )

    assert column(tables[M, "users"], "both") == ["yes"]
    assert "both" not in tables[M, "all_events"].columns


def test_a_definition_may_use_the_name_of_another_one_where_the_table_delivers_it(tmp_path):
    follows = definition("follows", case("x", clause("isdef", column="channel")))
    delivered = data_file(f"{KEY} channel", (1, 1, 0, "delivered"))

    tables = published(tmp_path, [PAID, follows], signup=delivered, order=data_file(KEY, (2, 1, 0)))

    assert column(tables[M, "signup"], "follows") == ["x"]
    assert "follows" not in tables[M, "order"].columns
    assert column(tables[M, "order"], "channel") == [None]
    assert sorted(map(str, column(tables[M, "all_events"], "follows"))) == ["None", "x"]


def test_the_type_of_a_property_holds_all_its_cases(tmp_path):
    numbers = definition(
        "n", case(5, clause("=", 1, column="event_id")), default_value={"type": "constant", "value": 0.5}
    )
    mixed = definition("m", case(5, clause("=", 1, column="event_id")), case("x", clause("isdef", column="event_id")))

    table = published(tmp_path, [numbers, mixed], signup=data_file(KEY, (1, 1, 0), (2, 1, 0)))[M, "signup"]

    assert (table.columns["n"], table.columns["m"]) == ("DOUBLE", "VARCHAR")
    assert (column(table, "n"), column(table, "m")) == ([5.0, 0.5], ["5", "x"])


@pytest.mark.parametrize("unreadable", ["", "no definitions", "{}"])
def test_the_newest_readable_definitions_hold(tmp_path, unreadable):
    write_dump(tmp_path, dump(0, {"signup": data_file(KEY, (1, 1, 0))}, definitions=json.dumps([PAID])))

    assert "channel" in published(tmp_path, unreadable)[M, "signup"].columns
    assert "channel" not in published(tmp_path, "[]")[M, "signup"].columns
