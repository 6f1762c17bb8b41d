"""A check of export and configuration that runs nothing: are manifests readable, are the configured events known.

Nothing is landed or written. Display names of events are known from what has landed; an export of which nothing has
landed yet is judged by the tables that its manifests name.
"""

from dataclasses import dataclass

from heap_assets.config.model import Configuration
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.damage import damage_named
from heap_assets.pipeline.landing.pending import arrivals
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolve.configured_events import configured_events
from heap_assets.pipeline.resolve.current_tables import current_tables
from heap_assets.sources.heap.truth import tables_with_files
from heap_assets.sources.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """What a check found: readable dumps, how many of them are new, what is broken, what the configuration misses."""

    dumps: int
    new: int
    broken: tuple[str, ...]
    warnings: tuple[str, ...]


def check(source: Source, storage: Storage, ledger: Ledger, configuration: Configuration) -> CheckOutcome:
    """Return what there is to say of an export before a sync takes it."""
    arrived = arrivals(source, ledger)
    new = arrived.new_dumps(ledger)
    dumps = {**ledger.dumps, **new}
    with damage_named(storage):
        current = current_tables(storage, ledger)
        found = configured_events(configuration, current, more=tables_with_files(dumps.values())).found
    return CheckOutcome(
        dumps=len(dumps), new=len(new), broken=tuple(arrived.broken().values()), warnings=found.warnings
    )
