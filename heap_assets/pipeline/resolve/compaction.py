"""Compaction: many small files of a table read as few, so that a year of nightly dumps scans like one large one.

Each delivery keeps its own files, which are the truth; a compacted file is a copy of the rows of several deliveries,
written when small files have become many. It is read in their stead while all of them count, and dropped as soon as one
does not, so that compaction changes nothing but speed. Which there are is a part of the state. Not here: removing files
that nothing needs any more (maintenance.py).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.limits import Limits
from heap_assets.pipeline.resolve.current_tables import CompactedFile, CurrentTable, CurrentTables


@dataclass(frozen=True, slots=True)
class _Small:
    """A small file, delivered or compacted: the deliveries whose rows it has."""

    deliveries: tuple[str, ...]
    path: str


COMPACTED = Part("compacted", TypeAdapter(dict[str, tuple[CompactedFile, ...]]), without={})


def with_compacted(storage: Storage, current: CurrentTables, limits: Limits, *, rebuild: bool = False) -> CurrentTables:
    """Return the tables with compacted files in place of small ones; new ones are written where small files are many.

    With ``rebuild`` the compacted files of earlier runs are left.
    """
    before = COMPACTED.read(storage)
    torn = storage.torn([copy.path for found in before.values() for copy in found])
    tables, compacted = {}, {}
    for name, table in current.tables.items():
        valid = () if rebuild else _valid(before.get(name, ()), table.deliveries(), torn)
        found = _compacted(storage, table, valid, limits)
        tables[name] = replace(table, compacted=found)
        if found:
            compacted[name] = found
    if compacted != before:
        COMPACTED.write(storage, compacted)
    return replace(current, tables=tables)


def compacted_files(storage: Storage) -> frozenset[str]:
    """Return all compacted files."""
    return frozenset(copy.path for compacted in COMPACTED.read(storage).values() for copy in compacted)


def _valid(
    compacted: Collection[CompactedFile], deliveries: Collection[str], torn: Collection[str]
) -> tuple[CompactedFile, ...]:
    return tuple(copy for copy in compacted if set(copy.deliveries) <= set(deliveries) and copy.path not in torn)


def _compacted(
    storage: Storage, table: CurrentTable, compacted: tuple[CompactedFile, ...], limits: Limits
) -> tuple[CompactedFile, ...]:
    """Return the compacted files of a table, with one for all small files if these have become many."""
    small = list(_small(table, compacted, limits.small_bytes))
    if len(small) <= limits.most_small_files:
        return compacted
    deliveries = tuple(delivery_name for one in small for delivery_name in one.deliveries)
    rows = table.landed.scan([one.path for one in small], table.stored_columns())
    kept = write_file(storage, "packed", rows, about=table.name)
    gone = {one.path for one in small}
    return (
        *(copy for copy in compacted if copy.path not in gone),
        CompactedFile(path=kept.path, deliveries=deliveries, size=kept.size),
    )


def _small(table: CurrentTable, compacted: tuple[CompactedFile, ...], small_bytes: int) -> Iterator[_Small]:
    yield from (_Small(copy.deliveries, copy.path) for copy in compacted if copy.size < small_bytes)
    inside = {delivery_name for copy in compacted for delivery_name in copy.deliveries}
    for delivery_name, files in table.files_by_delivery().items():
        if delivery_name not in inside and sum(file.size for file in files) < small_bytes:
            yield from (_Small((delivery_name,), file.path) for file in files)
