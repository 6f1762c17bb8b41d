"""Packing: many small files of a table read as few, so that a year of nightly dumps scans like one large one.

Each delivery keeps its own files, which are the truth; a pack is a copy of the rows of several deliveries, made when
small files have become many. It is read in their stead while all of them count, and dropped as soon as one does not, so
packs change nothing but speed. Not here: removing packs that nothing needs any more (maintenance.py).
State lies in ``packs.json``, replaced as a whole.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from heap_assets.lake.storage import Storage
from heap_assets.pipeline.current import CurrentTable, CurrentTables, Pack

_PATH = "packs.json"
MOST_SMALL_FILES = 8
"""Each file costs a scan, and every query of the published file, about 1 ms."""
_SMALL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class _Small:
    """A small file or pack: the deliveries whose rows it has."""

    covers: tuple[str, ...]
    path: str


_PACKS = TypeAdapter(dict[str, tuple[Pack, ...]])


def with_packs(storage: Storage, current: CurrentTables) -> CurrentTables:
    """Return the tables with packs for their small files; new ones are made where small files are many."""
    before = _packs(storage)
    tables, packs = {}, {}
    for name, table in current.tables.items():
        found = _packed(storage, table, _valid(before.get(name, ()), table.covers()))
        tables[name] = replace(table, packs=found)
        if found:
            packs[name] = found
    if packs != before:
        storage.write(_PATH, _PACKS.dump_json(packs))
    return replace(current, tables=tables)


def packed_files(storage: Storage) -> frozenset[str]:
    """Return the files of all packs."""
    return frozenset(pack.path for packs in _packs(storage).values() for pack in packs)


def _packs(storage: Storage) -> Mapping[str, tuple[Pack, ...]]:
    content = storage.read(_PATH)
    try:
        return {} if content is None else _PACKS.validate_json(content)
    except ValidationError:  # copies, not a truth: without them the files themselves are read
        return {}


def _valid(packs: Collection[Pack], covers: Collection[str]) -> tuple[Pack, ...]:
    return tuple(pack for pack in packs if set(pack.covers) <= set(covers))


def _packed(storage: Storage, table: CurrentTable, packs: tuple[Pack, ...]) -> tuple[Pack, ...]:
    """Return the packs of a table, with one for all small files if these have become many."""
    small = list(_small(table, packs))
    if len(small) <= MOST_SMALL_FILES:
        return packs
    covers = tuple(cover for one in small for cover in one.covers)
    path = f"packed/{uuid.uuid4().hex}.parquet"
    file = storage.new_file(path)
    rows = table.landed.scan([one.path for one in small], table.stored_columns())
    rows.sink_parquet(file, compression="zstd", metadata={"heap_assets.table": table.name})
    size = file.stat().st_size
    storage.keep(file, path)
    gone = {one.path for one in small}
    return (*(pack for pack in packs if pack.path not in gone), Pack(path=path, covers=covers, size=size))


def _small(table: CurrentTable, packs: tuple[Pack, ...]) -> Iterator[_Small]:
    yield from (_Small(pack.covers, pack.path) for pack in packs if pack.size < _SMALL_BYTES)
    inside = {cover for pack in packs for cover in pack.covers}
    for cover in table.covers():
        if cover in inside:
            continue
        files = table.files_of({cover})
        if sum(file.size for file in files) < _SMALL_BYTES:
            yield from (_Small((cover,), file.path) for file in files)
