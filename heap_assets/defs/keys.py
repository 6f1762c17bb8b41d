"""Asset keys and groups: how Heap's tables are called in Dagster.

Here: names only. Dagster allows letters, digits and ``_`` in them, so other names get a short digest.
"""

import hashlib
import re

import dagster as dg

RAW, HEAP, MIGRATED, PUBLISHED = "raw", "heap", "heap_migrated", "published"
DUCKDB_FILE = dg.AssetKey([PUBLISHED, "duckdb_file"])


def table_key(layer: str, table: str) -> dg.AssetKey:
    """Return the key of a delivered table in a layer.

    >>> table_key("raw", "order_completed").to_user_string()
    'raw/order_completed'
    >>> table_key("raw", "Sign-up").to_user_string()
    'raw/Sign_up_4a08d7'
    """
    return dg.AssetKey([layer, _part(table)])


def _part(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_]+", name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return re.sub(r"[^A-Za-z0-9_]", "_", name) + f"_{digest}"
