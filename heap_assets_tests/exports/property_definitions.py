"""Drawn property_definitions.json files: all operators, formulas of up to three clauses, and some that nobody accepts.

Now and then a property is defined twice, looks at another one, or has a key that the grammar lacks.
"""

import json

from heap_assets_tests.exports.dice import Dice

_PROPERTIES = ("tier", "channel", "plan", "status")
_COLUMNS = (
    "plan",
    "referrer",
    "price",
    "email",
    "ip",
    "Price",
    "identity",
    "handle",
    "lacking",
    "session_id",
    "channel",
    "tier",
)
_OPERATORS = (
    "=",
    "isdef",
    "contains",
    "matches",
    "!=",
    "notcontains",
    "notmatches",
    "notdef",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
)
_CONSTANTS = ("a", "b", "5", 5, 5.0, "", "*", "a*b*", "*a*", True, None, "direct", 0.1)
_LISTS = (["a", "b"], [5, "true"], [], [None, "5.0"])
_FORMULAS = {
    1: (None, "A", "(A)", "A & A", "B"),
    2: ("A & B", "A | B", "(A)|(B)", "B", None),
    3: ("A | B & C", "(A | B) & C", "A | (B & C)", "A & B | C", "A & !B"),
}
_BROKEN = ("", "no definitions", "{}", "[")


def drawn_definitions(throw: Dice) -> str:
    """Return the text of the file; "" stands for a missing one."""
    if throw.once_in(6):
        return throw.pick(_BROKEN)
    names = [*_PROPERTIES[: throw.pick((1, 2, 3, 4))]]
    if throw.once_in(8):
        names.append(names[0])
    return json.dumps([_definition(throw, name) for name in names])


def _definition(throw: Dice, name: str) -> dict:
    found = {
        "property_name": name,
        "type": throw.pick(("event", "user")),
        "cases": [{"value": _outcome(throw), "condition": _condition(throw)} for _ in range(throw.pick((1, 2, 3)))],
    }
    found |= {"default_value": _outcome(throw)} if throw.once_in(2) else {}
    return found | ({"description": "not in the grammar"} if throw.once_in(12) else {})


def _outcome(throw: Dice) -> dict:
    if throw.once_in(3):
        return {"type": "field", "value": throw.pick(_COLUMNS)}
    return {"type": "constant", "value": throw.pick(("yes", "no", "maybe", "yes", 7, 2.5))}


def _condition(throw: Dice) -> dict:
    height = throw.pick((1, 2, 3))
    clauses = {name: _clause(throw) for name in "ABC"[:height]}
    formula = throw.pick(_FORMULAS[height])
    return {"clauses": clauses} | ({} if formula is None else {"formula": formula})


def _clause(throw: Dice) -> dict:
    clause = {"property_name": throw.pick(_COLUMNS)}
    if throw.once_in(5):
        values = throw.pick(_LISTS)
        bare = throw.once_in(2)
        operator = throw.pick(("includedin", "notincludedin"))
        return clause | {"operator": operator, "value": values if bare else {"type": "constant", "value": values}}
    clause["operator"] = throw.pick(_OPERATORS)
    if clause["operator"] in {"isdef", "notdef"}:
        return clause
    form = throw.pick(("bare", "constant", "field"))
    if form == "bare":
        return clause | {"value": throw.pick(_CONSTANTS)}
    value = throw.pick(_CONSTANTS) if form == "constant" else throw.pick(_COLUMNS)
    return clause | {"value": {"type": form, "value": value}}
