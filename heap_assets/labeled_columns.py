"""Which labeled properties become columns of a table, and under which names.

Used by the views of the published file and by the scans of the analytics alike. Not here: what a definition means
(labeled.py), its expression (transforms/labeled.py, warehouse/labeled_sql.py).
"""

from collections.abc import Iterable, Sequence

from heap_assets.labeled import Definition
from heap_assets.names import folded, published_names


def labeled_columns(
    definitions: Sequence[Definition], published: Iterable[str], *, ours: Iterable[str] = ()
) -> dict[str, Definition]:
    """Return the definitions that a table lacks as a column, by published name, in the order of their own names.

    ``published`` are the names of the table's delivered columns, ``ours`` those of the columns beside them.

    >>> tier = Definition("Tier", "user", ())
    >>> list(labeled_columns([tier], ["user_id"])), list(labeled_columns([tier], ["user_id", "tier"]))
    (['Tier'], [])
    """
    names = [*published]
    taken = {folded(name) for name in names}
    missing = {
        definition.name: definition for definition in reversed(definitions) if folded(definition.name) not in taken
    }
    called = published_names(missing, reserved=[*ours, *names])
    return {called[name]: missing[name] for name in sorted(missing)}
