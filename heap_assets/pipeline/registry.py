"""The registry of known tables and segments: what a run leaves so that definitions load without the export.

Here: one small document. It is a memory, not a truth: without it everything works, only fewer tables have an asset.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter, ValidationError

from heap_assets.catalog import SYSTEM_TABLES
from heap_assets.config.model import Configuration
from heap_assets.errors import LakeError
from heap_assets.lake.memory import Memory
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.configured_events import ConfiguredEvents


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The tables that a run has seen, and which of them the funnels and the segments of its configuration read.

    ``grouped_funnels`` says whether a funnel is grouped, so that users are read; an older document leaves it open.
    """

    tables: tuple[KnownTable, ...] = ()
    funnels: tuple[str, ...] = ()
    grouped_funnels: bool = True
    segments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def registry_of(tables: Iterable[KnownTable], configuration: Configuration, events: ConfiguredEvents) -> Registry:
    """Return the registry of these tables and this configuration."""
    return Registry(
        tables=tuple(tables),
        funnels=events.delivered(step.event for funnel in configuration.funnels for step in funnel.steps),
        grouped_funnels=any(funnel.group_by is not None for funnel in configuration.funnels),
        segments={
            segment.name: events.delivered(event for event in (segment.did, segment.did_not) if event is not None)
            for segment in configuration.segments
        },
    )


_PATH, _DOCUMENT = "tables.json", TypeAdapter(Registry)
_MEMORY = Memory(_PATH, _DOCUMENT, without=Registry())


def known_registry(storage: Storage) -> Registry | None:
    """Return what a run has seen; None if no run has left word.

    Raises:
        HeapAssetsError: The lake or the document cannot be read.
    """
    address = storage.address(_PATH)
    try:
        content = storage.read(_PATH)
        return None if content is None else _DOCUMENT.validate_json(content)
    except OSError as error:
        raise LakeError(f"{address} cannot be read: {error}; check the lake's place and the rights on it") from error
    except ValidationError as error:
        raise LakeError(f"{address} is damaged; run heap_sync, which writes it again.") from error


def read_registry(storage: Storage) -> Registry:
    """Return what a run has seen; nothing if no run has left a registry that can be read."""
    return _MEMORY.read(storage)


def write_registry(storage: Storage, registry: Registry) -> bool:
    """Keep what is known; return whether there is a change."""
    known = (table for table in registry.tables if table.name not in SYSTEM_TABLES)
    after = replace(registry, tables=tuple(sorted(known, key=lambda table: table.name)))
    if read_registry(storage) == after:
        return False
    _MEMORY.write(storage, after)
    return True
