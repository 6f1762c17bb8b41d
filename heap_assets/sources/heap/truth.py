"""Which deliveries make up a table: the rule of newest wins, by dump.

Here: dumps to the current deliveries of each table; pure. Not here: which row of two counts (transforms/duplicates.py).
Source: CONTRACT sections 1 and 2; Heap's FAQs on full syncs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heap_assets.schema.heap_tables import raw_table
from heap_assets.sources.heap.manifest import Delivery, Dump


@dataclass(frozen=True, slots=True)
class DumpDelivery:
    """One table's delivery, and the dump that made it."""

    dump: Dump
    delivery: Delivery


def current_deliveries(dumps: Iterable[Dump]) -> dict[str, tuple[DumpDelivery, ...]]:
    """Return the deliveries that make up each table after these dumps, in dump order.

    A table that any dump lists is there. A delivery that is not incremental voids what earlier dumps said; of the
    tables that come whole each time only the last delivery counts.
    """
    listed: dict[str, list[DumpDelivery]] = {}
    for dump in sorted(dumps, key=lambda dump: dump.dump_id):
        for delivery in dump.deliveries:
            kept = listed.setdefault(delivery.table, [])
            if _voids_earlier(delivery):
                kept.clear()
            elif raw_table(delivery.table).replaced and not delivery.file_count:
                continue
            kept.append(DumpDelivery(dump, delivery))
    return {table: tuple(kept) for table, kept in listed.items()}


def _voids_earlier(delivery: Delivery) -> bool:
    return not delivery.incremental or (raw_table(delivery.table).replaced and delivery.file_count > 0)


def tables_with_files(dumps: Iterable[Dump]) -> frozenset[str]:
    """Return the tables of which some dump ever delivered a file: those that exist."""
    return frozenset(delivery.table for dump in dumps for delivery in dump.deliveries if delivery.file_count)


def last_listing(dumps: Sequence[Dump]) -> dict[str, DumpDelivery]:
    """Return the delivery of the greatest dump that lists each table, whether it brought files or not."""
    last: dict[str, DumpDelivery] = {}
    for dump in sorted(dumps, key=lambda dump: dump.dump_id):
        last.update({delivery.table: DumpDelivery(dump, delivery) for delivery in dump.deliveries})
    return last
