"""Packing: many small files of a table read as few, so that a year of nightly dumps scans like one large one.

Each delivery keeps its own files, which are the truth; a pack is a copy of the rows of several deliveries, made when
small files have become many. It is read in their stead while all of them count, and dropped as soon as one does not, so
packs change nothing but speed. Not here: removing packs that nothing needs any more (maintenance.py).
Which there are is a part of the state.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import kept_rows
from heap_assets.pipeline.resolve.current_tables import CurrentTable, CurrentTables, Pack

MOST_SMALL_FILES = 8
"""Each file costs a scan, and every query of the published file, about 1 ms."""
_SMALL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class _Small:
    """A small file or pack: the deliveries whose rows it has."""

    covers: tuple[str, ...]
    path: str


PACKED = Part("compacted", TypeAdapter(dict[str, tuple[Pack, ...]]), without={})


def with_packs(storage: Storage, current: CurrentTables, *, rebuild: bool = False) -> CurrentTables:
    """Return the tables with packs for their small files; new ones are made where small files are many.

    With ``rebuild`` the packs of earlier runs are left.
    """
    before = PACKED.read(storage)
    torn = storage.torn([pack.path for found in before.values() for pack in found])
    tables, packs = {}, {}
    for name, table in current.tables.items():
        found = _packed(storage, table, () if rebuild else _valid(before.get(name, ()), table.covers(), torn))
        tables[name] = replace(table, packs=found)
        if found:
            packs[name] = found
    if packs != before:
        PACKED.write(storage, packs)
    return replace(current, tables=tables)


def packed_files(storage: Storage) -> frozenset[str]:
    """Return the files of all packs."""
    return frozenset(pack.path for packs in PACKED.read(storage).values() for pack in packs)


def _valid(packs: Collection[Pack], covers: Collection[str], torn: Collection[str]) -> tuple[Pack, ...]:
    return tuple(pack for pack in packs if set(pack.covers) <= set(covers) and pack.path not in torn)


def _packed(storage: Storage, table: CurrentTable, packs: tuple[Pack, ...]) -> tuple[Pack, ...]:
    """Return the packs of a table, with one for all small files if these have become many."""
    small = list(_small(table, packs))
    if len(small) <= MOST_SMALL_FILES:
        return packs
    covers = tuple(cover for one in small for cover in one.covers)
    rows = table.landed.scan([one.path for one in small], table.stored_columns())
    kept = kept_rows(storage, "packed", rows, about=table.name)
    gone = {one.path for one in small}
    return (*(pack for pack in packs if pack.path not in gone), Pack(path=kept.path, covers=covers, size=kept.size))


def _small(table: CurrentTable, packs: tuple[Pack, ...]) -> Iterator[_Small]:
    yield from (_Small(pack.covers, pack.path) for pack in packs if pack.size < _SMALL_BYTES)
    inside = {cover for pack in packs for cover in pack.covers}
    for cover, files in table.files_by_cover().items():
        if cover not in inside and sum(file.size for file in files) < _SMALL_BYTES:
            yield from (_Small((cover,), file.path) for file in files)
