"""Events of the configuration: which table each of them is.

A configured name is a table as in all_events.event_table_name, else a display name of _event_metadata, else what Heap's
rule makes a table name of. Here: names only. Not here: reading _event_metadata (pipeline/), the rule (schema/names.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from heap_assets.config.model import Configuration
from heap_assets.schema.names import table_name


@dataclass(frozen=True, slots=True)
class EventTables:
    """The table of each configured event that has one, and what there is to say of the others."""

    tables: Mapping[str, str]
    warnings: tuple[str, ...]

    def table_of(self, event: str) -> str:
        """Return the event's table; an event without one keeps its name, which no table has."""
        return self.tables.get(event, event)


def event_tables(
    configuration: Configuration, published: Mapping[str, str], display_names: Iterable[tuple[str, str]]
) -> EventTables:
    """Return the tables of all events that a configuration names.

    ``published`` are the event tables by delivered name, ``display_names`` pairs of delivered name and display name.

    >>> from heap_assets.config.load import configuration_from_text
    >>> configuration = configuration_from_text("conversion_events: [Order - Completed, Sign Up, Sing Up]", name="x")
    >>> found = event_tables(configuration, {"order_completed": "order_completed", "s1": "s1"}, [("s1", "Sign Up")])
    >>> dict(found.tables)
    {'Order - Completed': 'order_completed', 'Sign Up': 's1'}
    >>> found.warnings
    ('conversion_events: there is no event Sing Up; it counts as never done. Did you mean Sign Up?',)
    """
    displayed: dict[str, list[str]] = {}
    for delivered, display_name in sorted(set(display_names)):
        if delivered in published:
            displayed.setdefault(display_name, []).append(published[delivered])
    known = sorted({*published.values(), *displayed})
    tables, warnings = {}, []
    for place, event in _named_events(configuration):
        found = _tables_of(event, published, displayed)
        if not found:
            near = get_close_matches(event, known, n=1)
            guess = f" Did you mean {near[0]}?" if near else ""
            warnings.append(f"{place}: there is no event {event}; it counts as never done.{guess}")
            continue
        if len(found) > 1:
            warnings.append(f"{place}: {event} is the name of several tables: {', '.join(found)}; {found[0]} is taken.")
        tables[event] = found[0]
    return EventTables(tables, tuple(warnings))


def _tables_of(event: str, published: Mapping[str, str], displayed: Mapping[str, list[str]]) -> list[str]:
    if event in published.values():
        return [event]
    if event in displayed:
        return displayed[event]
    by_rule = published.get(table_name(event))
    return [] if by_rule is None else [by_rule]


def _named_events(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield every event of the configuration with the place where it stands."""
    for event in configuration.funnel_events:
        yield "funnel_events", event
    for event in configuration.conversion_events:
        yield "conversion_events", event
    for funnel in configuration.funnels:
        for number, step in enumerate(funnel.steps, start=1):
            yield f"funnel {funnel.name}, step {number}", step.event
    for segment in configuration.segments:
        for condition, done in (("did", segment.did), ("did_not", segment.did_not)):
            if done is not None:
                yield f"segment {segment.name}, {condition}", done
