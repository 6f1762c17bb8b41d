"""Labeled properties in Polars.

Here: one expression per definition. Not here: what a definition means (schema/labeled.py), the same in SQL
(duckdb/labeled.py).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.text import text_form
from heap_assets.schema.labeled import Comparison, Definition, Meaning, Scalar
from heap_assets.schema.value_types import ValueType

_COMPARISONS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def labeled_expr(
    definition: Definition,
    columns: Mapping[str, pl.DataType],
    *,
    reference: Callable[[str], pl.Expr] | None = None,
) -> pl.Expr:
    """Return the property, under its name, for a frame with these columns; a column that it lacks is null.

    ``reference`` gives a column's values where the frame has them under another name.

    >>> from heap_assets.schema.labeled import Case, Clause, Constant
    >>> paid = Case(Constant("Paid"), Clause("utm_medium", "contains", Constant("cpc")))
    >>> channel = Definition("channel", "event", (paid,), Constant("Other"))
    >>> sessions = pl.DataFrame({"utm_medium": ["google-cpc", None]})
    >>> sessions.select(labeled_expr(channel, sessions.schema)).to_series().to_list()
    ['Paid', 'Other']
    """
    types = {name: _value_type(dtype) for name, dtype in columns.items() if dtype != pl.Null}
    engine = _Polars(columns, reference or (lambda name: cs.by_name(name).as_expr()))  # pl.col would read ^...$ and *
    return Meaning(types, engine).expression(definition).alias(definition.name)


def _value_type(dtype: pl.DataType) -> ValueType:
    if dtype.is_integer():
        return ValueType.LONG
    if dtype.is_float():
        return ValueType.DOUBLE
    if isinstance(dtype, pl.Datetime):
        return ValueType.TIME
    return ValueType.BOOLEAN if dtype == pl.Boolean else ValueType.TEXT


@dataclass(frozen=True, slots=True)
class _Polars:
    columns: Mapping[str, pl.DataType]
    reference: Callable[[str], pl.Expr]

    def column(self, name: str) -> pl.Expr:
        wanted = _value_type(self.columns[name]).polars
        column = self.reference(name)
        return column if self.columns[name] == wanted else column.cast(wanted, strict=False)

    def constant(self, value: Scalar) -> pl.Expr:
        return pl.lit(value, dtype=pl.Int64 if type(value) is int else None)

    def null(self, value_type: ValueType) -> pl.Expr:
        return pl.lit(None, dtype=value_type.polars)

    def cast(self, operand: pl.Expr, source: ValueType, target: ValueType) -> pl.Expr:
        return text_form(operand, source.polars) if target is ValueType.TEXT else operand.cast(target.polars)

    def number(self, double: pl.Expr) -> pl.Expr:
        return double.fill_nan(None)

    def is_defined(self, operand: pl.Expr) -> pl.Expr:
        return operand.is_not_null()

    def compare(self, left: pl.Expr, comparison: Comparison, right: pl.Expr) -> pl.Expr:
        compared: pl.Expr = _COMPARISONS[comparison](left, right)
        return _or_false(compared)

    def contains(self, text: pl.Expr, part: pl.Expr) -> pl.Expr:
        return _or_false(text.str.contains(part, literal=True))

    def matches(self, text: pl.Expr, pattern: pl.Expr) -> pl.Expr:
        wildcards = pattern.str.escape_regex().str.replace_all(r"\*", ".*", literal=True)
        return _or_false(text.str.contains(pl.lit(r"(?s)\A") + wildcards + pl.lit(r"\z"), strict=False))

    def is_in(self, operand: pl.Expr, values: Sequence[Scalar]) -> pl.Expr:
        return _or_false(operand.is_in(list(values)))

    def negation(self, condition: pl.Expr) -> pl.Expr:
        return ~condition

    def all_of(self, conditions: Sequence[pl.Expr]) -> pl.Expr:
        return pl.all_horizontal(conditions)

    def any_of(self, conditions: Sequence[pl.Expr]) -> pl.Expr:
        return pl.any_horizontal(conditions) if conditions else pl.lit(value=False)

    def first_of(self, cases: Sequence[tuple[pl.Expr, pl.Expr]], default: pl.Expr) -> pl.Expr:
        for condition, value in reversed(cases):
            default = pl.when(condition).then(value).otherwise(default)
        return default


def _or_false(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(value=False)
