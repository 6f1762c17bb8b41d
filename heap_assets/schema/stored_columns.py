"""How a delivered column is stored: one stored column for each type that it ever came in.

A property may be a long today and text tomorrow, and a resync may undo that. So the lake keeps each value in the type
in which it came (``price$long`` beside ``price``), and the type that a reader sees is resolved from what is current.
Here: the stored names. Not here: types and how they are resolved (value_types.py), conversions (expressions/).
"""

import re
from functools import lru_cache

from heap_assets.schema.value_types import ValueType

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")

ROW_ID = "$row_id"
"""BIGINT, unique in one raw table, ascending in delivered order; no delivered name is stored with a leading $."""

DUMP_ID = "$dump_id"
"""BIGINT, the dump that brought the row."""

DELIVERED_FILES = "heap_assets.files"
"""In the metadata of a Parquet file of a raw table: the delivered files in it, each with its first row id, as JSON."""


def escaped(name: str) -> str:
    """Return ``name`` in lower-case letters, digits, ``_`` and ``~``: safe as a folder and as a Delta column.

    Delta compares names without case, Spark refuses blanks and commas, file systems slashes.

    >>> escaped("Sign up/É")
    '~53ign~20up~2f~c3~89'
    """
    return "".join(letter if letter in _PLAIN else _hexadecimal(letter) for letter in name)


def _hexadecimal(letter: str) -> str:
    return "".join(f"~{byte:02x}" for byte in letter.encode("utf-8", "surrogatepass"))


def stored_name(column: str, value_type: ValueType) -> str:
    """Return the name under which the lake keeps the values of ``column`` that came as ``value_type``.

    >>> stored_name("price", ValueType.TEXT), stored_name("Price", ValueType.LONG)
    ('price', '~50rice$long')
    """
    return escaped(column) if value_type is ValueType.TEXT else f"{escaped(column)}${value_type.value}"


@lru_cache(maxsize=10_000)  # asked of every column of every file, of which hundreds may have the same
def delivered_column(stored: str) -> tuple[str, ValueType]:
    """Return the delivered column and the type that a stored name stands for.

    >>> delivered_column("~50rice$long")
    ('Price', <ValueType.LONG: 'long'>)
    """
    name, _, suffix = stored.partition("$")
    return unescaped(name), ValueType(suffix) if suffix else ValueType.TEXT


def unescaped(name: str) -> str:
    """Return the name that ``escaped`` made this of."""
    plain = re.sub(rb"~([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), name.encode())
    return plain.decode("utf-8", "surrogatepass")
