"""The registry of known tables and segments: what a run leaves so that definitions load without the export.

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
    """A delivered table, and what Heap says of it."""

    name: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The tables that a run has seen, and the segments of its configuration."""

    tables: tuple[KnownTable, ...] = ()
    segments: tuple[str, ...] = ()


_DOCUMENT = TypeAdapter(Registry)


def read_registry(storage: Storage) -> Registry:
    """Return what a run has seen; nothing if no run has left a registry that can be read."""
    content = storage.read(_PATH)
    if content is None:
        return Registry()
    try:
        return _DOCUMENT.validate_json(content)
    except ValidationError:
        return Registry()


def write_registry(storage: Storage, tables: Iterable[KnownTable], segments: Iterable[str]) -> bool:
    """Keep the known tables and segments; return whether there is a change."""
    known = tuple(sorted((table for table in tables if table.name not in SYSTEM_TABLES), key=lambda table: table.name))
    content = _DOCUMENT.dump_json(Registry(tables=known, segments=tuple(segments)))
    if storage.read(_PATH) == content:
        return False
    storage.write(_PATH, content)
    return True
