"""property_definitions.json: the labeled properties of a dump, read by the grammar of CONTRACT section 4.

Here: JSON to definitions; one that says anything outside the grammar is skipped with a reason. Not here: which dump's
definitions hold, what a definition means (schema/labeled.py), where it can be used (schema/labeled_columns.py).
"""

import json
import math
import re
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.labeled import And, Case, Clause, Condition, Constant, Definition, Field, Operator, Or, Value

_OPERATORS: tuple[Operator, ...] = get_args(Operator)
_LONGS = range(-(2**63), 2**63)
_DEEPEST = 50  # parentheses within parentheses; engines evaluate conditions recursively


@dataclass(frozen=True, slots=True)
class SkippedDefinition:
    """A definition that is not computed, and why; one without a name is named by its place."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedDefinitions:
    """What one property_definitions.json says."""

    definitions: tuple[Definition, ...]
    skipped: tuple[SkippedDefinition, ...]


class _NotInGrammarError(Exception):
    """A definition says something that the grammar does not have."""


class _Repeating(dict[str, Any]):
    """A JSON object in which a key stands twice."""


def parse_definitions(text: str | bytes) -> ParsedDefinitions:
    """Return the definitions of a file; a file that is not a JSON list is an UnreadableFileError.

    >>> clause = {"property_name": "utm_medium", "operator": "contains", "value": "cpc"}
    >>> case = {"value": {"type": "constant", "value": "Paid"}, "condition": {"clauses": {"A": clause}}}
    >>> parsed = parse_definitions(json.dumps([{"property_name": "channel", "type": "event", "cases": [case]}, {}]))
    >>> parsed.definitions[0].cases[0].condition
    Clause(property_name='utm_medium', operator='contains', value=Constant(value='cpc'))
    >>> parsed.skipped
    (SkippedDefinition(name='definition 2', reason='the definition has no property_name'),)
    """
    entries = _entries(text)
    identities = [(_text_under("property_name", entry), _text_under("type", entry)) for entry in entries]
    names, occurrences = frozenset(name for name, _ in identities if name), Counter(identities)
    definitions: list[Definition] = []
    skipped: list[SkippedDefinition] = []
    for place, ((name, _), entry) in enumerate(zip(identities, entries, strict=True), start=1):
        try:
            definitions.append(_Reader(names, occurrences).definition(entry))
        except _NotInGrammarError as error:
            skipped.append(SkippedDefinition(_printable(name or f"definition {place}"), _printable(str(error))))
    return ParsedDefinitions(tuple(definitions), tuple(skipped))


def _entries(text: str | bytes) -> list[Any]:
    try:
        content = json.loads(text, object_pairs_hook=_json_object, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"the property definitions are not JSON: {error}") from error
    if not isinstance(content, list):
        raise UnreadableFileError(f"the property definitions are not a list but {_shown(content)}")
    return content


def _json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Repeating(found)


def _no_json(word: str) -> float:
    raise ValueError(f"{word} is not a JSON value")


def _text_under(key: str, entry: object) -> str | None:
    text = entry.get(key) if isinstance(entry, dict) else None
    return text if isinstance(text, str) and text else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one definition, knowing the names (and types) of all; ``needs`` are the names that it uses."""

    names: frozenset[str]
    occurrences: Counter[tuple[str | None, str | None]]
    needs: set[str] = field(default_factory=set)

    def definition(self, entry: object) -> Definition:
        found = _object(entry, "the definition", ("property_name", "type", "cases"), ("default_value",))
        name, kind, cases = _text(found["property_name"], "property_name"), found["type"], found["cases"]
        if kind not in ("user", "event"):
            raise _NotInGrammarError(f"type: {_shown(kind)}; known: user, event")
        if self.occurrences[name, kind] > 1:
            raise _NotInGrammarError("it is defined more than once")
        if not isinstance(cases, list):
            raise _NotInGrammarError(f"cases: {_shown(cases)} is not a list")
        default = found.get("default_value")
        return Definition(
            name,
            "user" if kind == "user" else "event",
            tuple(self._case(case, f"case {place}") for place, case in enumerate(cases, start=1)),
            Constant(None) if default is None else self._typed(default, "default_value"),
            tuple(sorted(self.needs)),
        )

    def _case(self, case: object, where: str) -> Case:
        found = _object(case, where, ("value", "condition"))
        condition = _object(found["condition"], f"{where}, condition", ("clauses",), ("formula",))
        clauses = self._clauses(condition["clauses"], where)
        formula = condition.get("formula")
        if formula is None and len(clauses) > 1:
            raise _NotInGrammarError(f"{where}: {len(clauses)} clauses and no formula")
        only = next(iter(clauses.values()))
        return Case(
            self._typed(found["value"], f"{where}, value"),
            only if formula is None else _formula(_text(formula, f"{where}, formula"), clauses),
        )

    def _clauses(self, clauses: object, where: str) -> dict[str, Clause]:
        if not isinstance(clauses, dict) or isinstance(clauses, _Repeating) or not clauses:
            raise _NotInGrammarError(f"{where}: clauses must be an object of clauses, each name once")
        return {name: self._clause(clause, f"{where}, clause {name}") for name, clause in clauses.items()}

    def _clause(self, clause: object, where: str) -> Clause:
        found = _object(clause, where, ("property_name", "operator"), ("value",))
        operator = next((known for known in _OPERATORS if known == found["operator"]), None)
        if operator is None:
            raise _NotInGrammarError(f"{where}: operator {_shown(found['operator'])}; known: {' '.join(_OPERATORS)}")
        column = self._reference(found["property_name"], where).name
        if operator in ("isdef", "notdef"):
            self._scalar(found.get("value"), where)
            return Clause(column, operator)
        if "value" not in found:
            raise _NotInGrammarError(f"{where} has no value")
        judge = self._constants if operator in ("includedin", "notincludedin") else self._scalar
        return Clause(column, operator, judge(found["value"], where))

    def _scalar(self, value: object, where: str) -> Value:
        return self._typed(value, where) if isinstance(value, dict) else _constant(value, where)

    def _constants(self, value: object, where: str) -> tuple[Constant, ...]:
        if isinstance(value, dict):
            found = _object(value, where, ("type", "value"))
            value = found["value"] if found["type"] == "constant" else None
        if not isinstance(value, list):
            raise _NotInGrammarError(f"{where}: the value must be a list of constants")
        return tuple(_constant(one, where) for one in value)

    def _typed(self, value: object, where: str) -> Value:
        found = _object(value, where, ("type", "value"))
        if found["type"] == "field":
            return self._reference(found["value"], where)
        if found["type"] != "constant":
            raise _NotInGrammarError(f"{where}: type {_shown(found['type'])}; known: constant, field")
        return _constant(found["value"], where)

    def _reference(self, name: object, where: str) -> Field:
        self.needs.update({column := _text(name, where)} & self.names)
        return Field(column)


def _object(value: object, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    if not isinstance(value, dict) or isinstance(value, _Repeating):
        raise _NotInGrammarError(f"{where} must be an object, each key once")
    for key in required:
        if key not in value:
            raise _NotInGrammarError(f"{where} has no {key}")
    for key in value:
        if key not in required and key not in optional:
            raise _NotInGrammarError(f"{where}: unknown key {_shown(key)}; known: {', '.join((*required, *optional))}")
    return value


def _text(value: object, where: str) -> str:
    text = _constant(value, where).value
    if not isinstance(text, str) or not text or "\0" in text:  # Arrow has no names with a NUL
        raise _NotInGrammarError(f"{where}: {_shown(value)} is not text")
    return text


def _constant(value: object, where: str) -> Constant:
    """Return a constant; a number or text that no column can hold is not in the grammar."""
    match value:
        case None | bool():
            return Constant(value)
        case int() if value in _LONGS:
            return Constant(value)
        case float() if math.isfinite(value):
            return Constant(value)
        case str() if value.encode(errors="replace").decode() == value:
            return Constant(value)
    raise _NotInGrammarError(f"{where}: {_shown(value)} is not a constant")


def _formula(text: str, clauses: Mapping[str, Clause]) -> Condition:
    """Return the condition that a formula such as ``A | (B & C)`` builds of clauses; & binds before |."""
    words = deque(re.findall(r"[&|()]|[^\s&|()]+", text))

    def either(depth: int) -> Condition:
        return joined("|", Or, lambda: joined("&", And, lambda: single(depth)))

    def joined(sign: str, kind: type[And | Or], part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while words and words[0] == sign:
            words.popleft()
            parts.append(part())
        return kind(tuple(parts)) if len(parts) > 1 else parts[0]

    def single(depth: int) -> Condition:
        word = words.popleft() if words else "its end"
        if word == "(" and depth < _DEEPEST:
            inner = either(depth + 1)
            if words and words.popleft() == ")":
                return inner
            raise _NotInGrammarError(f"formula {_shown(text)}: a parenthesis is not closed")
        if word not in clauses:
            raise _NotInGrammarError(f"formula {_shown(text)}: {word} where a clause is wanted")
        return clauses[word]

    condition = either(0)
    if words:
        raise _NotInGrammarError(f"formula {_shown(text)}: {words[0]} where & or | is wanted")
    return condition


def _shown(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - enough to find it in the file


def _printable(text: str) -> str:
    """Return the text with halves of surrogate pairs, which JSON can hold and UTF-8 cannot, made visible."""
    return text.encode(errors="backslashreplace").decode()
