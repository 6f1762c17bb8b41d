"""Columns that several models have, and how the columns of a model are declared.

Not here: the models (one file each).
"""

from collections.abc import Sequence

from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG, TEXT
from heap_assets.schema.value_types import ColumnType

HEAP_USER_ID = Column("heap_user_id", LONG, "The person, after merging")
UTM = ("utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content")
OF_CHANNELS = ("referrer", "landing_page", "landing_page_query", *UTM)
"""Columns of a session that rules of channels read."""
PLACE = ("country", "region", "city")


def columns(prefix: str, *declared: tuple[str, ColumnType, str]) -> tuple[Column, ...]:
    """Return columns whose names begin alike."""
    return tuple(Column(f"{prefix}{name}", kind, meaning) for name, kind, meaning in declared)


def texts(prefix: str, of: str, names: Sequence[str]) -> tuple[Column, ...]:
    """Return columns of text that say what their names say."""
    return tuple(Column(f"{prefix}{name}", TEXT, f"{name} of {of}") for name in names)
