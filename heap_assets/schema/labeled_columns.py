"""Which labeled properties become columns of a table, and under which names.

Used by the views of the published file and by the scans of the analytics alike. Not here: what a definition means
(labeled.py), its expression (expressions/polars/labeled.py, expressions/duckdb/labeled.py).
"""

from collections.abc import Iterable, Mapping, Sequence

from heap_assets.schema.labeled import Definition
from heap_assets.schema.names import folded, published_names

_MOST_LISTED = 5


def labeled_columns(
    definitions: Sequence[Definition], columns: Mapping[str, str], *, ours: Iterable[str] = ()
) -> dict[str, Definition]:
    """Return the definitions that a table lacks as a column, by published name, in the order of their own names.

    ``columns`` are the published names of the table's delivered columns by delivered name, ``ours`` the names of the
    columns beside them. A definition that uses a property which is computed on this table is left out.

    >>> tier = Definition("Tier", "user", ())
    >>> list(labeled_columns([tier], {"user_id": "user_id"})), list(labeled_columns([tier], {"tier": "tier"}))
    (['Tier'], [])
    """
    missing = _missing(definitions, columns)
    usable = {name: definition for name, definition in missing.items() if not _computed(definition, columns)}
    called = published_names(usable, reserved=[*ours, *columns.values()])
    return {called[name]: usable[name] for name in sorted(usable)}


class LeftOut:
    """Which definitions some tables cannot have, because they use a property that is computed there.

    >>> left_out = LeftOut()
    >>> left_out.note("users", [Definition("Tier", "user", (), needs=("plan",))], {"user_id": "user_id"})
    >>> left_out.reasons()
    {'Tier': 'plan is a computed property itself in users'}
    """

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, list[str]]] = {}

    def note(self, table: str, definitions: Sequence[Definition], columns: Mapping[str, str]) -> None:
        """Note what a table of this published name lacks and cannot have; ``columns`` as in labeled_columns."""
        for name, definition in sorted(_missing(definitions, columns).items()):
            for used in _computed(definition, columns)[:1]:
                self._tables.setdefault(name, {}).setdefault(used, []).append(table)

    def reasons(self) -> dict[str, str]:
        """Return by the definition's name which property it uses, and in which tables that one is computed."""
        return {
            name: "; ".join(
                f"{used} is a computed property itself in {_listed(where)}" for used, where in found.items()
            )
            for name, found in self._tables.items()
        }


def _listed(tables: Sequence[str]) -> str:
    more = len(tables) - _MOST_LISTED
    return ", ".join(tables[:_MOST_LISTED]) + (f" and {more} other tables" if more > 0 else "")


def _missing(definitions: Sequence[Definition], columns: Mapping[str, str]) -> dict[str, Definition]:
    taken = {folded(name) for name in columns.values()}
    return {definition.name: definition for definition in reversed(definitions) if folded(definition.name) not in taken}


def _computed(definition: Definition, columns: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in definition.needs if name not in columns)
