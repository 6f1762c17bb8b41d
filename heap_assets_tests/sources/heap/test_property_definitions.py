"""Reading property_definitions.json: what the grammar has, and what is skipped with a reason.

Here: files to definitions. Not here: what a definition means (expressions/test_labeled.py).
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.labeled import And, Case, Clause, Constant, Definition, Field, Or
from heap_assets.sources.heap.property_definitions import parse_definitions


def clause(column="plan", operator="=", value="gold", **more):
    return {"property_name": column, "operator": operator, "value": value, **more}


def case(value, formula=None, **clauses):
    condition = {"clauses": clauses} if formula is None else {"clauses": clauses, "formula": formula}
    return {"value": value, "condition": condition}


def definition(*cases, name="label", kind="event", **more):
    return {"property_name": name, "type": kind, "cases": list(cases), **more}


YES = {"type": "constant", "value": "yes"}


def parsed(*entries):
    return parse_definitions(json.dumps(list(entries)))


def condition_of(formula, **clauses):
    (found,) = parsed(definition(case(YES, formula, **clauses))).definitions
    return found.cases[0].condition


def reason_of(entry):
    found = parsed(entry)
    assert found.definitions == ()
    ((name, reason),) = [(skipped.name, skipped.reason) for skipped in found.skipped]
    assert name in {"label", "definition 1", "a\0b"}
    return reason


def test_a_definition_in_full():
    entry = {
        "property_name": "Marketing Channel",
        "type": "user",
        "cases": [
            {
                "value": {"type": "constant", "value": "Paid"},
                "condition": {
                    "clauses": {
                        "A": clause("utm_medium", "includedin", ["cpc", 5, None]),
                        "B": clause("amount", ">=", {"type": "field", "value": "limit"}),
                        "C": {"property_name": "referrer", "operator": "isdef"},
                    },
                    "formula": "A | (B & C)",
                },
            },
        ],
        "default_value": {"type": "field", "value": "utm_source"},
    }
    medium = Clause("utm_medium", "includedin", (Constant("cpc"), Constant(5), Constant(None)))
    others = And((Clause("amount", ">=", Field("limit")), Clause("referrer", "isdef")))
    expected = Definition(
        "Marketing Channel", "user", (Case(Constant("Paid"), Or((medium, others))),), Field("utm_source")
    )
    assert parsed(entry).definitions == (expected,)
    assert parsed(entry).skipped == ()


A, B, C = (Clause(name, "isdef") for name in "abc")
NAMED = {"A": clause("a", "isdef"), "B": clause("b", "isdef"), "C": clause("c", "isdef")}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("A", A),
        ("((A))", A),
        ("A|B&C", Or((A, And((B, C))))),
        ("A&B|C", Or((And((A, B)), C))),
        (" ( A | B )\t& C\n", And((Or((A, B)), C))),
        ("A & B & C", And((A, B, C))),
        ("A & (B & C)", And((A, And((B, C))))),
        ("A | A", Or((A, A))),
    ],
)
def test_and_binds_before_or_in_formulas(formula, expected):
    assert condition_of(formula, **NAMED) == expected


@pytest.mark.parametrize(
    "formula",
    [
        "",
        " ",
        "A &",
        "& A",
        "A B",
        "A && B",
        "A || B",
        "!A",
        "A AND B",
        "(A",
        "A)",
        "()",
        "a",
        "D",
        "A, B",
        "A | (B &)",
    ],
)
def test_a_formula_outside_the_grammar_is_skipped(formula):
    assert "formula" in reason_of(definition(case(YES, formula, **NAMED)))


def test_a_formula_of_endless_parentheses_is_skipped():
    assert "formula" in reason_of(definition(case(YES, "(" * 5000 + "A" + ")" * 5000, **NAMED)))


def test_a_formula_may_be_missing_if_there_is_one_clause():
    assert condition_of(None, first=clause("a", "isdef")) == A
    assert reason_of(definition(case(YES, None, **NAMED))) == "case 1: 3 clauses and no formula"


def test_a_value_is_bare_or_typed_and_a_list_goes_with_includedin_only():
    assert condition_of("A", A=clause(value=5)) == Clause("plan", "=", Constant(5))
    assert condition_of("A", A=clause(value={"type": "constant", "value": 5.0})) == Clause("plan", "=", Constant(5.0))
    typed_list = {"type": "constant", "value": ["a"]}
    assert condition_of("A", A=clause("plan", "includedin", typed_list)).value == (Constant("a"),)
    assert "a list" in reason_of(definition(case(YES, A=clause("plan", "=", ["a"]))))
    assert "a list" in reason_of(definition(case(YES, A=clause("plan", "isdef", ["a"]))))
    assert "a list" in reason_of(definition(case(YES, A=clause("plan", "includedin", "a"))))
    assert "a list" in reason_of(definition(case(YES, A=clause("plan", "includedin", {"type": "field", "value": "a"}))))
    assert "a list" in reason_of(definition(case(YES, A=clause("plan", "includedin", [["a"]]))))


def test_isdef_takes_no_notice_of_a_value():
    assert condition_of("A", A=clause("plan", "notdef", value="")) == Clause("plan", "notdef")
    assert condition_of("A", A={"property_name": "plan", "operator": "notdef"}) == Clause("plan", "notdef")


def test_a_default_may_be_missing_or_null():
    assert parsed(definition()).definitions == (Definition("label", "event", (), Constant(None)),)
    assert parsed(definition(default_value=None)).definitions == parsed(definition()).definitions


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("label", "the definition must be an object, each key once"),
        ({}, "the definition has no property_name"),
        (definition(name=""), 'property_name: "" is not text'),
        (definition(name="a\0b"), 'property_name: "a\\u0000b" is not text'),
        (definition(name=5), "property_name: 5 is not text"),
        (definition(kind="session"), 'type: "session"; known: user, event'),
        (definition(kind=["user"]), "type: a list; known: user, event"),
        (definition(label=1), 'the definition: unknown key "label"; known: property_name, type, cases, default_value'),
        ({**definition(), "cases": {}}, "cases: an object is not a list"),
        (definition("yes"), "case 1 must be an object, each key once"),
        (definition({"value": YES}), "case 1 has no condition"),
        (definition({"condition": {"clauses": {"A": clause()}}}), "case 1 has no value"),
        (definition(case("yes", A=clause())), "case 1, value must be an object, each key once"),
        (
            definition(case({"type": "formula", "value": "x"}, A=clause())),
            'case 1, value: type "formula"; known: const',
        ),
        (definition(case({"type": "constant"}, A=clause())), "case 1, value has no value"),
        (definition(case({**YES, "unit": "EUR"}, A=clause())), 'case 1, value: unknown key "unit"'),
        (definition(case({"type": "field", "value": 5}, A=clause())), "case 1, value: 5 is not text"),
        (definition(case(YES)), "case 1: clauses must be an object of clauses"),
        (definition(case(YES, A=clause(), B="b")), "case 1, clause B must be an object"),
        (
            definition(case(YES, A=clause(operator="startswith"))),
            'case 1, clause A: operator "startswith"; known: = !=',
        ),
        (definition(case(YES, A=clause(operator=[]))), "case 1, clause A: operator a list"),
        (definition(case(YES, A={"property_name": "a", "operator": "="})), "case 1, clause A has no value"),
        (definition(case(YES, A=clause(negated=True))), 'case 1, clause A: unknown key "negated"'),
        (definition(case(YES, A=clause(value={"value": 5}))), "case 1, clause A has no type"),
        (definition(case(YES, A=clause(value=2**63))), "case 1, clause A: 9223372036854775808 is not a constant"),
        (definition(default_value="x"), "default_value must be an object"),
    ],
)
def test_what_the_grammar_does_not_have_is_skipped_with_a_reason(entry, reason):
    assert reason_of(entry).startswith(reason)


def test_one_definition_outside_the_grammar_does_not_touch_the_others():
    found = parsed(definition(name="good"), definition(name="bad", kind="?"), definition(name="also good"))
    assert [one.name for one in found.definitions] == ["good", "also good"]
    assert [one.name for one in found.skipped] == ["bad"]


@pytest.mark.parametrize(
    "entry",
    [
        definition(case(YES, A=clause("other"))),
        definition(case(YES, A=clause(value={"type": "field", "value": "other"}))),
        definition(case({"type": "field", "value": "other"}, A=clause())),
        definition(default_value={"type": "field", "value": "other"}),
    ],
)
def test_what_has_a_definition_of_its_own_even_a_skipped_one_must_be_delivered_to_be_used(entry):
    (found,) = parsed(entry, definition(name="other", kind="?")).definitions
    assert found.needs == ("other",)
    (alone,) = parsed(definition(case(YES, A=clause("label"), B=clause("free"), formula="A | B"))).definitions
    assert alone.needs == ("label",)


def test_a_name_may_stand_for_users_and_for_events_but_once_for_each():
    both = parsed(definition(kind="user"), definition(kind="event"))
    assert [one.kind for one in both.definitions] == ["user", "event"]
    twice = parsed(definition(), definition(default_value=YES))
    assert [one.reason for one in twice.skipped] == ["it is defined more than once"] * 2


def test_a_key_that_stands_twice_is_skipped():
    twice = '[{"property_name": "label", "type": "user", "type": "event", "cases": []}]'
    assert parse_definitions(twice).skipped[0].reason == "the definition must be an object, each key once"
    clauses = '{"A": {"property_name": "a", "operator": "isdef"}, "A": {"property_name": "b", "operator": "isdef"}}'
    entry = f'[{{"property_name": "label", "type": "user", "cases": [{{"value": {json.dumps(YES)}, '
    assert parse_definitions(f'{entry}"condition": {{"clauses": {clauses}}}}}]}}]').skipped


def test_numbers_and_texts_that_no_column_can_hold_are_skipped():
    huge = json.dumps([definition(default_value={"type": "constant", "value": 5})]).replace("5", "1e999")
    assert parse_definitions(huge).skipped[0].reason == "default_value: Infinity is not a constant"
    half = parsed(definition(default_value={"type": "constant", "value": "\ud800"}, name="\udfff"))
    assert (half.skipped[0].name, half.skipped[0].reason) == ("\\udfff", 'property_name: "\\udfff" is not a constant')


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", "null", '"x"', "[NaN]", "[Infinity]", b"\xff\xfe\xfa", "[" * 100_000, "[" + "1" * 5000 + "]"],
)
def test_a_file_that_is_no_json_list_is_unreadable(text):
    with pytest.raises(UnreadableFileError, match="the property definitions are no"):
        parse_definitions(text)


def test_bytes_are_read_in_utf_8_with_or_without_a_byte_order_mark():
    text = json.dumps([definition(name="größe")], ensure_ascii=False)
    for content in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        assert parse_definitions(content).definitions[0].name == "größe"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(["property_name", "type", "cases", "value", "condition", "clauses", "formula", "operator"])
            | st.text(max_size=2),
            parts,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(JSON, max_size=4))
def test_any_json_list_is_read_and_every_entry_is_either_a_definition_or_skipped(entries):
    found = parsed(*entries)
    assert len(found.definitions) + len(found.skipped) == len(entries)
