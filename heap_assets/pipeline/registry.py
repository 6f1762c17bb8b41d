"""The registry of known tables and segments: what a run leaves so that definitions load without the export.

Here: one part of the lake's state. It is not a truth: without it everything works, only fewer tables have an asset.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pydantic import ConfigDict, TypeAdapter

from heap_assets.config.model import Configuration
from heap_assets.errors import LakeError
from heap_assets.lake.state import STATE, Part, is_lost
from heap_assets.lake.storage import Storage
from heap_assets.models.catalog import recipes, unconfigured
from heap_assets.models.recipe import Inputs
from heap_assets.pipeline.damage import damage_named
from heap_assets.pipeline.landing.archived import archived_tables
from heap_assets.pipeline.ledger import Ledger, read_ledger
from heap_assets.pipeline.resolve.configured_events import ConfiguredEvents, configured_events
from heap_assets.pipeline.resolve.current_tables import CurrentTables
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.pipeline.resolve.sync_tables import system_table
from heap_assets.schema.heap_tables import DROPPED_TABLES, SYSTEM_TABLES
from heap_assets.sources.heap.manifest import Dump
from heap_assets.sources.heap.truth import tables_with_files


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
    archived: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The tables that a run has seen, the segments of its configuration, and what its configured models read.

    ``reads`` has each table and model that a model reads, as kind and delivered name, where the configuration decides.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")  # a document of other keys does not say that there are no tables

    tables: tuple[KnownTable, ...] = ()
    segments: tuple[str, ...] = ()
    reads: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def with_tables(self, names: Iterable[str]) -> list[KnownTable]:
        """Return the tables that are known, and those of these names."""
        known = {table.name: table for table in self.tables}
        return [*({name: KnownTable(name=name) for name in names} | known).values()]


def registry_of(tables: Iterable[KnownTable], configuration: Configuration, events: ConfiguredEvents) -> Registry:
    """Return the registry of these tables and this configuration."""
    published = tuple(events.published.values())
    inputs = Inputs(configuration=configuration, events=events.found, event_tables=published)
    always = {recipe.sources for recipe in recipes(unconfigured(published))}
    return Registry(
        tables=tuple(tables),
        segments=tuple(segment.name for segment in configuration.segments),
        reads={
            recipe.model.name: events.delivered_sources(recipe.sources)
            for recipe in recipes(inputs)
            if recipe.sources not in always
        },
    )


_PART: Part[Registry | None] = Part("tables", TypeAdapter(Registry | None), without=None)


def known_registry(storage: Storage) -> Registry | None:
    """Return what a run has seen; None if no run has left word.

    Raises:
        HeapAssetsError: The lake or its state cannot be read.
    """
    if is_lost(storage):
        raise LakeError(f"{storage.address(STATE)} is damaged; run heap_sync, which writes it again.")
    return _PART.known(storage)


def read_registry(storage: Storage) -> Registry:
    """Return what a run has seen; where no run has left a registry that can be read, the tables that have landed."""
    known = _PART.known(storage)
    if known is not None:
        return known
    landed = tables_with_files(read_ledger(storage).dumps.values()) - SYSTEM_TABLES
    return Registry(tables=tuple(KnownTable(name=name) for name in sorted(landed)))


def write_registry(storage: Storage, registry: Registry) -> bool:
    """Keep what is known; return whether there is a change."""
    known = (table for table in registry.tables if table.name not in SYSTEM_TABLES)
    after = replace(registry, tables=tuple(sorted(known, key=lambda table: table.name)))
    if _PART.known(storage) == after:
        return False
    _PART.write(storage, after)
    return True


def write_published(
    storage: Storage, configuration: Configuration, resolution: Resolution, ledger: Ledger, about: Mapping[str, str]
) -> None:
    """Keep the tables of a publication; ``about`` is what Heap says of each, by its published name."""
    names = resolution.current.names.in_s
    archived = archived_tables(ledger.dumps.values(), system_table(DROPPED_TABLES.kind, resolution))
    tables = [
        KnownTable(
            name=name,
            about=about.get(names[name], ""),
            published="" if names[name] == name else names[name],
            archived=archived.get(name, ""),
        )
        for name in resolution.tables
    ]
    events = configured_events(configuration, resolution.current)
    write_registry(storage, registry_of(tables, configuration, events))


def discover_tables(
    storage: Storage, configuration: Configuration, new: Iterable[Dump], current: Callable[[], CurrentTables]
) -> None:
    """Put the tables of dumps that have arrived into the registry; ``current`` tells which are configured events.

    Where it cannot, what is known of the configuration stays: landing mends the lake, or says what is wrong with it.
    """
    if is_lost(storage):
        return  # landing says so, and begins it again
    before, named = read_registry(storage), tables_with_files(new)
    tables = before.with_tables(named)
    try:
        with damage_named(storage):
            events = configured_events(configuration, current(), more=named)
        write_registry(storage, registry_of(tables, configuration, events))
    except LakeError:
        write_registry(storage, replace(before, tables=tuple(tables)))
