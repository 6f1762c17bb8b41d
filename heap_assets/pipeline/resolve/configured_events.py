"""The events of the configuration among the tables of an export: which table each of them is.

Here: the names that tables are delivered and published under put together with Heap's display names. Not here: the rule
itself (config/event_names.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from heap_assets.config.event_names import EventTables, event_tables
from heap_assets.config.model import Configuration
from heap_assets.pipeline.resolve.current_tables import CurrentTables
from heap_assets.pipeline.resolve.sync_tables import event_display_names
from heap_assets.schema.heap_tables import raw_table
from heap_assets.schema.published_tables import published_tables


@dataclass(frozen=True, slots=True)
class ConfiguredEvents:
    """The published table of each configured event; ``published`` are the event tables by delivered name."""

    found: EventTables
    published: Mapping[str, str]

    def delivered_sources(self, sources: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return what a recipe reads, as kind and name, with the delivered names of those event tables there are."""
        delivered = {published: name for name, published in self.published.items()}
        named = ((kind, delivered.get(name) if kind == "event" else name) for kind, name in sources)
        return tuple((kind, name) for kind, name in named if name is not None)


def configured_events(
    configuration: Configuration, current: CurrentTables, *, more: Iterable[str] = ()
) -> ConfiguredEvents:
    """Return the configured events among the current tables, and ``more`` that have arrived and not landed yet."""
    names = {*current.tables, *more}
    segments = [segment.name for segment in configuration.segments]
    published = published_tables({*names, *current.names.in_s}, segments=segments).in_migrated
    events = {name: published[name] for name in sorted(names) if raw_table(name).is_event_like}
    return ConfiguredEvents(event_tables(configuration, events, event_display_names(current)), events)
