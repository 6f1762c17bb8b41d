"""Tables that Heap delivers no more: their rows stay, nothing new is expected of them.

Here: which, and why; pure. Source: Heap archives an event by leaving it out of the dumps
while its table stays; _dropped_tables was given up in 2023, but older exports have it.
"""

from collections.abc import Iterable, Mapping

import polars as pl
import polars.selectors as cs

from heap_assets.schema.heap_tables import EVENT, raw_table
from heap_assets.sources.heap.manifest import Dump
from heap_assets.sources.heap.truth import last_listing

DUMPS_WITHOUT = 14
"""So many newer dumps without a table mean that its event is archived; manifests do not all list the same tables."""


def archived_tables(dumps: Iterable[Dump], dropped: pl.DataFrame | None = None) -> Mapping[str, str]:
    """Return the tables of which nothing more is expected, with the reason, by delivered name."""
    known = tuple(dumps)
    ids = sorted(dump.dump_id for dump in known)
    archived = {}
    for name, last in last_listing(known).items():
        newer = sum(dump_id > last.dump.dump_id for dump_id in ids)
        if raw_table(name) is EVENT and newer >= DUMPS_WITHOUT:
            archived[name] = f"Archived in Heap: dump {last.dump.dump_id} was the last to list it; its rows stay."
    for name in _texts(dropped):
        if any(name == delivery.table for dump in known for delivery in dump.deliveries):
            archived[name] = "Dropped in Heap, says _dropped_tables; its rows stay."
    return archived


def _texts(dropped: pl.DataFrame | None) -> list[str]:
    """Return every text of _dropped_tables, whose columns no public source names."""
    if dropped is None:
        return []
    texts = [frame for frame in dropped.select(cs.string()) if len(frame)]
    return sorted({value for column in texts for value in column if value})
