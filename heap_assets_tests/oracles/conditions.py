"""The conditions of labeled properties: named clauses, operators, and a formula over them.

Here: what is true of one row. Not here: what follows from it (labeled.py).
"""

import operator
import re
from collections.abc import Callable, Mapping

from heap_assets_tests.oracles.typing_rules import as_text

Lookup = Callable[[str], object]
Condition = Callable[[Lookup], bool]
_TOKEN = re.compile(r"\s*([A-Za-z0-9_]+|[|&()])")
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_NEGATIVE = {"!=": "=", "notcontains": "contains", "notmatches": "matches", "notincludedin": "includedin"}


class Unsupported(Exception):  # noqa: N818 (a state of a definition)
    """A definition uses what the grammar does not have."""


def scalar(value: object) -> object:
    """Return a constant if it is one."""
    if value is None or isinstance(value, str | int | float):
        return value
    raise Unsupported(repr(value))


def only_keys(delivered: Mapping[str, object], *known: str) -> None:
    """Refuse an object that says anything besides."""
    if set(delivered) - set(known):
        raise Unsupported(str(sorted(set(delivered) - set(known))))


def references(delivered: Mapping[str, Mapping]) -> set[str]:
    """Return the columns that a condition looks at."""
    names = set()
    for clause in delivered["clauses"].values():
        names.add(clause["property_name"])
        value = clause.get("value")
        if isinstance(value, dict) and value.get("type") == "field":
            names.add(value["value"])
    return names


def condition(delivered: Mapping[str, object]) -> Condition:
    """Return a condition as a function of a row."""
    only_keys(delivered, "clauses", "formula")
    clauses = {name: _clause(clause) for name, clause in delivered["clauses"].items()}
    formula = delivered.get("formula")
    if formula is None:
        if len(clauses) != 1:
            raise Unsupported("no formula")
        return next(iter(clauses.values()))
    tokens = _tokens(formula)
    found = _any_of(tokens, clauses)
    if tokens:
        raise Unsupported(formula)
    return found


def _tokens(formula: str) -> list[str]:
    tokens, place = [], 0
    formula = formula.rstrip()
    while place < len(formula):
        match = _TOKEN.match(formula, place)
        if match is None:
            raise Unsupported(formula)
        tokens.append(match[1])
        place = match.end()
    return tokens


def _any_of(tokens: list[str], clauses: Mapping[str, Condition]) -> Condition:
    parts = [_all_of(tokens, clauses)]
    while tokens[:1] == ["|"]:
        tokens.pop(0)
        parts.append(_all_of(tokens, clauses))
    return lambda row: any(part(row) for part in parts)


def _all_of(tokens: list[str], clauses: Mapping[str, Condition]) -> Condition:
    parts = [_one(tokens, clauses)]
    while tokens[:1] == ["&"]:
        tokens.pop(0)
        parts.append(_one(tokens, clauses))
    return lambda row: all(part(row) for part in parts)


def _one(tokens: list[str], clauses: Mapping[str, Condition]) -> Condition:
    token = tokens.pop(0) if tokens else ""
    if token == "(":  # noqa: S105 (a token of the formula)
        inner = _any_of(tokens, clauses)
        if not tokens or tokens.pop(0) != ")":
            raise Unsupported("a bracket is open")
        return inner
    if token not in clauses:
        raise Unsupported(token)
    return clauses[token]


def _clause(delivered: Mapping[str, object]) -> Condition:
    only_keys(delivered, "property_name", "operator", "value")
    column, name = delivered["property_name"], delivered["operator"]
    if not isinstance(column, str):
        raise Unsupported(repr(column))
    if name in {"isdef", "notdef"}:
        _positive(column, "=", delivered.get("value"))
        return lambda row: (row(column) is not None) == (name == "isdef")
    if name in _NEGATIVE:
        positive = _positive(column, _NEGATIVE[name], delivered["value"])
        return lambda row: not positive(row)
    return _positive(column, name, delivered["value"])


def _positive(column: str, name: str, delivered: object) -> Condition:
    kind, value = "constant", delivered
    if isinstance(delivered, dict):
        only_keys(delivered, "type", "value")
        kind, value = delivered["type"], delivered["value"]
    if name == "includedin":
        return _included(column, kind, value)
    if name not in _OPERATORS:
        raise Unsupported(str(name))
    holds = _OPERATORS[name]
    if kind == "field" and isinstance(value, str):
        return lambda row: row(column) is not None and row(value) is not None and holds(row(column), row(value))
    if kind != "constant":
        raise Unsupported(str(kind))
    constant = scalar(value)
    return lambda row: row(column) is not None and constant is not None and holds(row(column), constant)


def _included(column: str, kind: str, values: object) -> Condition:
    if kind != "constant" or not isinstance(values, list):
        raise Unsupported("no list")
    constants = [scalar(value) for value in values if value is not None]
    return lambda row: row(column) is not None and any(_equal(row(column), constant) for constant in constants)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _numbers(left: object, right: object) -> tuple | None:
    """Return both as numbers of one type, a long beside a double being a double; None unless both are numbers."""
    if not (_is_number(left) and _is_number(right)):
        return None
    return (float(left), float(right)) if isinstance(left, float) or isinstance(right, float) else (left, right)


def _equal(left: object, right: object) -> bool:
    first, second = _numbers(left, right) or (as_text(left), as_text(right))
    return first == second


def _contains(left: object, right: object) -> bool:
    return as_text(right) in as_text(left)


def _matches(left: object, right: object) -> bool:
    pattern = ".*".join(re.escape(part) for part in as_text(right).split("*"))
    return re.fullmatch(pattern, as_text(left), re.DOTALL) is not None


def _in_order(compare: Callable[[object, object], bool]) -> Callable[[object, object], bool]:
    def holds(left: object, right: object) -> bool:
        numbers = _numbers(left, right)
        return numbers is not None and compare(*numbers)

    return holds


_OPERATORS = {
    "=": _equal,
    "contains": _contains,
    "matches": _matches,
    **{name: _in_order(compare) for name, compare in _ORDER.items()},
}
