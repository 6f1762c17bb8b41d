"""Labeled (defined) properties: what a definition can say, and what it means.

Here: the tree of a definition, and its meaning as one walk that every engine shares; an engine only says how it
casts, compares and combines. Not here: reading definitions (sources/heap/property_definitions.py), Polars
(expressions/polars/labeled.py), SQL (expressions/duckdb/labeled.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from heap_assets.schema.value_types import ValueType, resolved_type

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the definition itself; None is null."""

    value: Scalar | None


@dataclass(frozen=True, slots=True)
class Field:
    """The value of a column of the same row."""

    name: str


Value = Constant | Field

Operator = Literal[
    "=",
    "!=",
    "contains",
    "notcontains",
    "matches",
    "notmatches",
    "isdef",
    "notdef",
    "includedin",
    "notincludedin",
    "<",
    "<=",
    ">",
    ">=",
]
Comparison = Literal["=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison of a column: with a value, with a list of constants (includedin), with nothing (isdef)."""

    property_name: str
    operator: Operator
    value: Value | tuple[Constant, ...] = Constant(None)


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part holds."""

    parts: tuple["Condition", ...]


Condition = Clause | And | Or


@dataclass(frozen=True, slots=True)
class Case:
    """A value, and when it is the property's value."""

    value: Value
    condition: Condition


@dataclass(frozen=True, slots=True)
class Definition:
    """A computed property of users or of events: the first case that holds, else the default.

    ``needs`` are the columns it uses that have definitions too: it holds only for tables that deliver all of them.
    """

    name: str
    kind: Literal["user", "event"]
    cases: tuple[Case, ...]
    default: Value = Constant(None)
    needs: tuple[str, ...] = ()


def text_of(value: Scalar) -> str:
    """Return a constant in the text form that a column of its type has.

    >>> text_of(5), text_of(5.0), text_of(1e16), text_of(True), text_of("5")
    ('5', '5.0', '1e+16', 'true', '5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def type_of(value: Scalar) -> ValueType:
    """Return the type of a constant."""
    return _PYTHON_TYPES[type(value)]


_PYTHON_TYPES = {bool: ValueType.BOOLEAN, int: ValueType.LONG, float: ValueType.DOUBLE, str: ValueType.TEXT}

E = TypeVar("E")


class _Engine(Protocol[E]):
    """What the walk needs of an engine; ``E`` is its expression.

    Conditions that an engine builds are never null: a comparison with null is false.
    """

    def column(self, name: str) -> E: ...
    def constant(self, value: Scalar) -> E: ...
    def null(self, value_type: ValueType) -> E: ...
    def cast(self, operand: E, source: ValueType, target: ValueType) -> E: ...
    def number(self, double: E) -> E: ...  # null where it is NaN
    def is_defined(self, operand: E) -> E: ...
    def compare(self, left: E, comparison: Comparison, right: E) -> E: ...
    def contains(self, text: E, part: E) -> E: ...
    def matches(self, text: E, pattern: E) -> E: ...
    def is_in(self, operand: E, values: Sequence[Scalar]) -> E: ...
    def negation(self, condition: E) -> E: ...
    def all_of(self, conditions: Sequence[E]) -> E: ...
    def any_of(self, conditions: Sequence[E]) -> E: ...
    def first_of(self, cases: Sequence[tuple[E, E]], default: E) -> E: ...


_POSITIVE: dict[Operator, Operator] = {
    "!=": "=",
    "notcontains": "contains",
    "notmatches": "matches",
    "notdef": "isdef",
    "notincludedin": "includedin",
}
_NUMBERS = {ValueType.LONG, ValueType.DOUBLE}


@dataclass(frozen=True, slots=True)
class Meaning(Generic[E]):
    """Definitions over a table that has these columns; a column that it lacks is null.

    Longs are compared with doubles as doubles. A NaN compares as null does, except in text form.
    """

    columns: Mapping[str, ValueType]
    engine: _Engine[E]

    def expression(self, definition: Definition) -> E:
        """Return the property's value, in the narrowest type that holds all its values, else as text."""
        result = self.result_type(definition)
        cases = [(self._condition(case.condition), self._operand(case.value, result)) for case in definition.cases]
        default = self._operand(definition.default, result)
        return self.engine.first_of(cases, default) if cases else default

    def result_type(self, definition: Definition) -> ValueType:
        """Return the type of the property's values; text where all are null."""
        values = [*(case.value for case in definition.cases), definition.default]
        found = {value_type for value in values if (value_type := self._type(value)) is not None}
        return ValueType.TEXT if ValueType.TIME in found and len(found) > 1 else resolved_type(found)

    def _type(self, value: Value) -> ValueType | None:
        if isinstance(value, Field):
            return self.columns.get(value.name)
        return None if value.value is None else type_of(value.value)

    def _operand(self, value: Value, target: ValueType) -> E:
        if isinstance(value, Constant):
            return self.engine.null(target) if value.value is None else self.engine.constant(_as(value.value, target))
        source = self.columns.get(value.name)
        if source is None:
            return self.engine.null(target)
        column = self.engine.column(value.name)
        return column if source is target else self.engine.cast(column, source, target)

    def _condition(self, condition: Condition) -> E:
        if isinstance(condition, Clause):
            return self._clause(condition)
        parts = [self._condition(part) for part in condition.parts]
        return self.engine.all_of(parts) if isinstance(condition, And) else self.engine.any_of(parts)

    def _clause(self, clause: Clause) -> E:
        if clause.operator in _POSITIVE:
            twin = Clause(clause.property_name, _POSITIVE[clause.operator], clause.value)
            return self.engine.negation(self._clause(twin))
        left = Field(clause.property_name)
        if self._type(left) is None:
            return self._never()
        if clause.operator == "isdef":
            return self.engine.is_defined(self.engine.column(left.name))
        if isinstance(clause.value, tuple):
            return self._included(left, clause.value)
        return self._compared(left, clause.operator, clause.value)

    def _compared(self, left: Field, operator: Operator, right: Value) -> E:
        common = self._compared_as(left, right)
        if common is None:
            return self._never()
        match operator:
            case "contains":
                return self.engine.contains(self._operand(left, ValueType.TEXT), self._operand(right, ValueType.TEXT))
            case "matches":
                return self.engine.matches(self._operand(left, ValueType.TEXT), self._operand(right, ValueType.TEXT))
            case "=" | "<" | "<=" | ">" | ">=" if operator == "=" or common in _NUMBERS:
                return self.engine.compare(self._compared_in(left, common), operator, self._compared_in(right, common))
            case _:
                return self._never()

    def _included(self, left: Field, values: tuple[Constant, ...]) -> E:
        wanted: dict[ValueType, list[Scalar]] = {}
        for constant in values:
            common = self._compared_as(left, constant)
            if constant.value is not None and common is not None:
                wanted.setdefault(common, []).append(_as(constant.value, common))
        return self.engine.any_of(
            [self.engine.is_in(self._compared_in(left, common), values) for common, values in wanted.items()]
        )

    def _compared_as(self, left: Value, right: Value) -> ValueType | None:
        """Return the type to compare in: numbers as numbers, all else as text; None if one side is always null."""
        types = [value_type for value in (left, right) if (value_type := self._type(value)) is not None]
        if len(types) < 2:  # noqa: PLR2004 - both sides
            return None
        return resolved_type(types) if _NUMBERS.issuperset(types) else ValueType.TEXT

    def _compared_in(self, value: Value, common: ValueType) -> E:
        operand = self._operand(value, common)
        return self.engine.number(operand) if common is ValueType.DOUBLE else operand

    def _never(self) -> E:
        return self.engine.any_of([])


def _as(value: Scalar, target: ValueType) -> Scalar:
    text = target is ValueType.TEXT
    return text_of(value) if text else float(value) if target is ValueType.DOUBLE else value
