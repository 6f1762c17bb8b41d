"""The names that are published: DuckDB compares names without ASCII case, so delivered names that meet get a suffix.

Here: the numbering rule. Not here: which names are ours in which table (roles.py).
"""

import string
from collections.abc import Collection, Iterable

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def folded(name: str) -> str:
    """Return the name as DuckDB compares it: ASCII letters in lower case."""
    return name.translate(_LOWER)


def published_names(
    delivered: Iterable[str], *, keeping: Collection[str] = (), ours: Collection[str] = ()
) -> dict[str, str]:
    """Return each delivered name with its published one.

    Of the names that differ only in case the first by code point keeps its name and the next get ``_2``, ``_3``.
    A name in ``keeping`` keeps its name in any case; a name that meets one of ``ours`` never does.

    >>> published_names(["price", "Price", "PRICE", "price_2"])
    {'PRICE': 'PRICE', 'Price': 'Price_3', 'price': 'price_4', 'price_2': 'price_2'}
    >>> published_names(["USER_ID", "user_id"], keeping=["user_id"])
    {'USER_ID': 'USER_ID_2', 'user_id': 'user_id'}
    >>> published_names(["All_events", "all_events"], ours=["all_events"])
    {'All_events': 'All_events_2', 'all_events': 'all_events_3'}
    """
    names = sorted(set(delivered))
    taken = {folded(name) for name in [*names, *ours]}
    held = {folded(name): name for name in names if name in keeping}
    held.update({folded(name): name for name in ours})
    published = {}
    for name in names:
        if name in keeping and name not in ours:
            published[name] = name
        elif folded(name) not in held:
            held[folded(name)] = name
            published[name] = name
        else:
            number = 2
            while f"{folded(name)}_{number}" in taken:
                number += 1
            published[name] = f"{name}_{number}"
            taken.add(folded(published[name]))
    return published
