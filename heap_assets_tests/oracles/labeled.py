"""Labeled properties: definitions in Heap's JSON, and the columns that they compute on a table.

Here: parsing, and one row at a time. Not here: which table gets which definitions (tables.py).
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from heap_assets_tests.oracles.conditions import Condition, Unsupported, condition, only_keys, references, scalar
from heap_assets_tests.oracles.migrated import Relation
from heap_assets_tests.oracles.naming import folded, published_names
from heap_assets_tests.oracles.typing_rules import in_type, resolved_type

Lookup = Callable[[str], object]
_PYTHON_TYPES = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}


@dataclass(frozen=True)
class Outcome:
    """What a property becomes: a constant, or the value of a column."""

    constant: object = None
    column: str | None = None


@dataclass(frozen=True)
class Definition:
    """A labeled property that the grammar allows; ``uses`` are names of definitions that it uses as columns."""

    name: str
    cases: tuple[tuple[Condition, Outcome], ...]
    default: Outcome
    uses: frozenset[str] = field(default_factory=frozenset)


def parsed(definitions: Sequence[object]) -> dict[str, list[Definition]]:
    """Return the definitions that the grammar allows, by their type ``user`` or ``event``; others are skipped.

    Whether one that uses the name of a definition can be used depends on the table: ``computed`` decides.
    """
    found: dict[str, list[Definition]] = {"user": [], "event": []}
    named = [(one["property_name"], str(one.get("type"))) for one in definitions if _is_named(one)]
    times, names = Counter(named), {name for name, _ in named}
    for delivered in definitions:
        try:
            kind, definition = _definition(delivered)
        except (Unsupported, KeyError, TypeError, AttributeError):
            continue
        if times[definition.name, kind] == 1:
            found[kind].append(replace(definition, uses=definition.uses & names))
    return found


def _is_named(delivered: object) -> bool:
    return isinstance(delivered, dict) and isinstance(delivered.get("property_name"), str)


def _definition(delivered: object) -> tuple[str, Definition]:
    kind, name = delivered["type"], delivered["property_name"]
    if kind not in {"user", "event"} or not isinstance(name, str) or not isinstance(delivered["cases"], list):
        raise Unsupported(name)
    only_keys(delivered, "type", "property_name", "cases", "default_value")
    cases, uses = [], set()
    for case in delivered["cases"]:
        only_keys(case, "value", "condition")
        cases.append((condition(case["condition"]), _outcome(case["value"])))
        uses |= references(case["condition"])
    default = delivered.get("default_value")
    default = Outcome() if default is None else _outcome(default)
    uses |= {outcome.column for outcome in (*(outcome for _, outcome in cases), default) if outcome.column is not None}
    return kind, Definition(name, tuple(cases), default, frozenset(uses))


def _outcome(delivered: object) -> Outcome:
    only_keys(delivered, "type", "value")
    if delivered["type"] == "constant":
        return Outcome(constant=scalar(delivered["value"]))
    if delivered["type"] == "field" and isinstance(delivered["value"], str):
        return Outcome(column=delivered["value"])
    raise Unsupported(str(delivered["type"]))


def computed(definitions: Sequence[Definition], relation: Relation, taken: Collection[str]) -> Relation:
    """Return the computed columns of a table, in the order of its rows; ``taken`` are the folded names that it has.

    The name of a definition can be used where the table delivers that column, for it is not computed there.
    """
    delivered = {name for name in relation.columns if not name.startswith(":")}
    lacking = [definition for definition in definitions if folded(definition.name) not in taken]
    usable = [definition for definition in lacking if definition.uses <= delivered]
    names = published_names([definition.name for definition in usable], ours=taken)
    types = {definition.name: _type(definition, relation) for definition in usable}
    rows = [
        {
            f":{names[definition.name]}": _value(definition, _lookup(row), types[definition.name])
            for definition in usable
        }
        for row in relation.rows
    ]
    return Relation({f":{names[name]}": kind for name, kind in types.items()}, rows)


def _lookup(row: Mapping[str, object]) -> Lookup:
    return lambda name: row.get(name, row.get(f":{name}"))


def _type(definition: Definition, relation: Relation) -> str:
    types = set()
    for outcome in (*(outcome for _, outcome in definition.cases), definition.default):
        if outcome.column is not None:
            types.add(relation.columns.get(outcome.column, relation.columns.get(f":{outcome.column}")))
        elif outcome.constant is not None:
            types.add(_PYTHON_TYPES[type(outcome.constant)])
    return resolved_type(types - {None})


def _value(definition: Definition, lookup: Lookup, duckdb_type: str) -> object:
    outcome = next((outcome for holds, outcome in definition.cases if holds(lookup)), definition.default)
    value = outcome.constant if outcome.column is None else lookup(outcome.column)
    return in_type(value, duckdb_type)
