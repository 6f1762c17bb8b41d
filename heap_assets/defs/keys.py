"""Asset keys and groups: how Heap's tables are called in Dagster.

Here: names only. Dagster allows letters, digits and ``_`` in them, so other names get a short digest; so does a
delivered table that is called like one of ours.
"""

import hashlib
import re

import dagster as dg

from heap_assets.schema.own_tables import MODELS

SYNCED, RAW, HEAP, MIGRATED, PUBLISHED = "heap_sync", "raw", "heap", "heap_migrated", "published"
ANALYTICS_GROUP, OTHER = "analytics", "other"
DUCKDB_FILE = dg.AssetKey([PUBLISHED, "duckdb_file"])
REPORT = dg.AssetKey([PUBLISHED, "report"])


def table_key(layer: str, table: str) -> dg.AssetKey:
    """Return the key of a delivered table in a layer.

    >>> table_key("raw", "order_completed").to_user_string()
    'raw/order_completed'
    >>> table_key("raw", "Sign-up").to_user_string()
    'raw/Sign_up_3cc08e'
    """
    return dg.AssetKey([layer, _part(table)])


def model_key(layer: str, model: str) -> dg.AssetKey:
    """Return the key of a table of our own in a layer."""
    return dg.AssetKey([layer, model])


def _part(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_]+", name) and name not in MODELS:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return re.sub(r"[^A-Za-z0-9_]", "_", name) + f"_{digest}"
