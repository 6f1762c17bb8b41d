"""Names of tables and columns: Heap's documented rule, and what DuckDB needs to tell two names apart.

Here: names only. Not here: which tables and columns there are (heap_tables.py), quoting
(expressions/duckdb/quoting.py).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from string import ascii_lowercase, ascii_uppercase

_NOT_ALPHANUMERIC = re.compile(r"[^0-9a-z]+")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def table_name(event_name: str) -> str:
    """Return the table name that Heap gives an event: stripped of non-alphanumerics, snake-cased.

    Source: Heap's data schema page, "Event Tables".

    >>> table_name("Sign Up - Click Link (Any)")
    'sign_up_click_link_any'
    >>> table_name("Checkout: Step 2")
    'checkout_step_2'
    """
    return _NOT_ALPHANUMERIC.sub("_", event_name.lower()).strip("_")


def folded(name: str) -> str:
    """Return what DuckDB compares identifiers by: ASCII letters lower-cased, everything else as it is.

    >>> folded("Preis ÉTÉ")
    'preis ÉtÉ'
    """
    return name.translate(_LOWER)


def published_names(names: Iterable[str], *, reserved: Collection[str] = ()) -> dict[str, str]:
    """Return each delivered name with the name that it is published under.

    Names that differ only in case get a numbered suffix: sorted by code point the first keeps its name, the next get
    ``_2``, ``_3``; a suffix that is taken is skipped. ``reserved`` are the names of our own tables or columns, and
    Heap's built-in ones: they always keep their name, a delivered name that meets one gets a suffix.

    >>> published_names(["price", "Price", "PRICE", "price_2"])
    {'PRICE': 'PRICE', 'Price': 'Price_3', 'price': 'price_4', 'price_2': 'price_2'}
    >>> published_names(["all_events"], reserved=["all_events"])
    {'all_events': 'all_events_2'}
    """
    clashing: dict[str, list[str]] = defaultdict(list)
    for name in sorted(set(names)):
        clashing[folded(name)].append(name)
    ours = {folded(name) for name in reserved}
    taken = ours | set(clashing)
    published: dict[str, str] = {}
    for key, group in sorted(clashing.items()):
        keeps = 0 if key in ours else 1
        published.update({name: name for name in group[:keeps]})
        number = 2
        for name in group[keeps:]:
            while folded(f"{name}_{number}") in taken:
                number += 1
            published[name] = f"{name}_{number}"
            taken.add(folded(published[name]))
            number += 1
    return dict(sorted(published.items()))
