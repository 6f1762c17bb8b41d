"""Labeled properties in SQL, as views over the published tables compute them.

Here: one DuckDB expression per definition. Not here: what a definition means (schema/labeled.py), the same in
Polars (polars/labeled.py), quoting of names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from heap_assets.expressions.duckdb.text import text_form_sql
from heap_assets.schema.labeled import Comparison, Definition, Meaning, Scalar
from heap_assets.schema.value_types import ValueType

_TYPES = {
    "TINYINT": ValueType.LONG,
    "SMALLINT": ValueType.LONG,
    "INTEGER": ValueType.LONG,
    "BIGINT": ValueType.LONG,
    "FLOAT": ValueType.DOUBLE,
    "DOUBLE": ValueType.DOUBLE,
    "BOOLEAN": ValueType.BOOLEAN,
    "TIMESTAMP": ValueType.TIME,
}


def labeled_sql(definition: Definition, columns: Mapping[str, str], *, reference: Callable[[str], str]) -> str:
    r"""Return the property as SQL for a table with these columns and DuckDB types; a column that it lacks is null.

    ``reference`` gives a column's quoted name.

    >>> from heap_assets.schema.labeled import Case, Clause, Constant
    >>> paid = Case(Constant("Paid"), Clause("utm_medium", "contains", Constant("cpc")))
    >>> labeled_sql(Definition("channel", "event", (paid,)), {"utm_medium": "VARCHAR"}, reference='s."{}"'.format)
    'CASE WHEN coalesce(contains(s."utm_medium", \'cpc\'), FALSE) THEN \'Paid\' ELSE CAST(NULL AS VARCHAR) END'
    """
    types = {name: _value_type(duckdb_type) for name, duckdb_type in columns.items() if duckdb_type != '"NULL"'}
    return Meaning(types, _Sql(columns, reference)).expression(definition)


def _value_type(duckdb_type: str) -> ValueType:
    return _TYPES.get(duckdb_type, ValueType.TEXT)


@dataclass(frozen=True, slots=True)
class _Sql:
    columns: Mapping[str, str]
    reference: Callable[[str], str]

    def column(self, name: str) -> str:
        wanted = _value_type(self.columns[name]).duckdb
        column = self.reference(name)
        return column if self.columns[name] == wanted else f"CAST({column} AS {wanted})"

    def constant(self, value: Scalar) -> str:
        match value:
            case bool():
                return "TRUE" if value else "FALSE"
            case int():
                return f"CAST('{value}' AS BIGINT)"
            case float():
                return f"CAST('{value!r}' AS DOUBLE)"
            case str():
                return "'" + value.replace("'", "''") + "'"

    def null(self, value_type: ValueType) -> str:
        return f"CAST(NULL AS {value_type.duckdb})"

    def cast(self, operand: str, source: ValueType, target: ValueType) -> str:
        if target is ValueType.TEXT:
            return text_form_sql(operand, source.duckdb)
        return f"CAST({operand} AS {target.duckdb})"

    def number(self, double: str) -> str:
        return f"nullif({double}, CAST('nan' AS DOUBLE))"

    def is_defined(self, operand: str) -> str:
        return f"({operand} IS NOT NULL)"

    def compare(self, left: str, comparison: Comparison, right: str) -> str:
        return _or_false(f"{left} {comparison} {right}")

    def contains(self, text: str, part: str) -> str:
        return _or_false(f"contains({text}, {part})")

    def matches(self, text: str, pattern: str) -> str:
        for ours, theirs in (("!", "!!"), ("%", "!%"), ("_", "!_"), ("*", "%")):
            pattern = f"replace({pattern}, '{ours}', '{theirs}')"
        return _or_false(f"{text} LIKE {pattern} ESCAPE '!'")

    def is_in(self, operand: str, values: Sequence[Scalar]) -> str:
        return _or_false(f"{operand} IN ({', '.join(self.constant(value) for value in values)})")

    def negation(self, condition: str) -> str:
        return f"(NOT {condition})"

    def all_of(self, conditions: Sequence[str]) -> str:
        return f"({' AND '.join(conditions)})"

    def any_of(self, conditions: Sequence[str]) -> str:
        return f"({' OR '.join(conditions)})" if conditions else "FALSE"

    def first_of(self, cases: Sequence[tuple[str, str]], default: str) -> str:
        branches = " ".join(f"WHEN {condition} THEN {value}" for condition, value in cases)
        return f"CASE {branches} ELSE {default} END"


def _or_false(condition: str) -> str:
    return f"coalesce({condition}, FALSE)"
