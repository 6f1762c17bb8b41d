"""How two sets of published tables differ: columns by name, rows as multisets, told in lines that a person can read.

Column and row order mean nothing; 5, 5.0 and True are three different values. Not compared: the free text of
``_quarantine`` (``reason`` and ``row``), and digits of computed shares and weights after the ninth.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice

from heap_assets_tests.oracles.tables import Table

_FREE_TEXT = {"_quarantine": ("reason", "row")}
_SHOWN = 5


def differences(expected: Mapping[tuple[str, str], Table], found: Mapping[tuple[str, str], Table]) -> list[str]:
    """Return a line for each table, column, type and row that one side has and the other lacks; none if they agree."""
    lines = []
    for name in sorted({*expected, *found}):
        if name not in found or name not in expected:
            lines.append(f"{'.'.join(name)}: {'missing' if name in expected else 'not expected'}")
        else:
            lines += [f"{'.'.join(name)}: {line}" for line in _of_table(*name, expected[name], found[name])]
    return lines


def _of_table(schema: str, name: str, expected: Table, found: Table) -> list[str]:
    lines = [
        f"column {column} is {found.columns.get(column)}, expected {expected.columns.get(column)}"
        for column in sorted({*expected.columns, *found.columns})
        if expected.columns.get(column) != found.columns.get(column)
    ]
    compared = [
        column for column in expected.columns if column in found.columns and column not in _FREE_TEXT.get(name, ())
    ]
    shown = _shown_computed if schema == "heap_analytics" and name != "heap_users" else repr
    wanted, got = _rows(expected, compared, shown), _rows(found, compared, shown)
    for word, rows in (("missing", wanted - got), ("not expected", got - wanted)):
        lines += [f"row {word}: {dict(row)}" for row in islice(rows.elements(), _SHOWN)]
        if rows.total() > _SHOWN:
            lines.append(f"and {rows.total() - _SHOWN} more rows {word}")
    return lines


def _shown_computed(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, float) else repr(value)


def _rows(table: Table, columns: list[str], shown: Callable[[object], str]) -> Counter:
    places = {column: place for place, column in enumerate(table.columns)}
    return Counter(tuple((column, shown(row[places[column]])) for column in columns) for row in table.rows)
