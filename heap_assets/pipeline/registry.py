"""The registry of known tables: what a run leaves with the lake so that definitions can be loaded without the export.

Here: one small document. It is a memory, not a truth: without it everything works, only fewer tables have an asset.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from heap_assets.catalog import SYSTEM_TABLES
from heap_assets.lake.storage import Storage

_PATH = "tables.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTable:
    """A delivered table, and what Heap says of it.

    Attributes:
        published: Its name in the published file, where that is another.
        retired: Why nothing more is expected of it; empty while it is delivered.
    """

    name: str
    about: str = ""
    published: str = ""
    retired: str = ""


_DOCUMENT = TypeAdapter(tuple[KnownTable, ...])


def read_registry(storage: Storage) -> tuple[KnownTable, ...]:
    """Return the tables that a run has seen; none if no run has left a registry that can be read."""
    content = storage.read(_PATH)
    if content is None:
        return ()
    try:
        return _DOCUMENT.validate_json(content)
    except ValidationError:
        return ()


def write_registry(storage: Storage, tables: Iterable[KnownTable]) -> bool:
    """Keep the known tables; return whether there is a change."""
    known = tuple(sorted((table for table in tables if table.name not in SYSTEM_TABLES), key=lambda table: table.name))
    content = _DOCUMENT.dump_json(known)
    if storage.read(_PATH) == content:
        return False
    storage.write(_PATH, content)
    return True
