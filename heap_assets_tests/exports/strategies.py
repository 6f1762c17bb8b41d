"""Hypothesis strategies of small, nasty exports.

``exports`` end in a state that can be read; ``faults`` have one file or manifest broken, and its mended form.
Here: dumps. Not here: data files (files.py), definitions (property_definitions.py).
"""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from heap_assets_tests.exports import pools
from heap_assets_tests.exports.description import PREFIX, Dump, Export, Listing
from heap_assets_tests.exports.dice import Dice, many_dice, some_dice
from heap_assets_tests.exports.files import TABLE_NAMES, columns_of, drawn_file
from heap_assets_tests.exports.property_definitions import drawn_definitions
from heap_assets_tests.exports.reports import drawn_report

_SYSTEM = ("_event_metadata", "_sync_info", "_sync_history", "_dropped_tables")
_REPLACED = ("user_migrations", "_event_metadata")
_PREFIXES = (PREFIX, "s3://copied/eu-1/heap", "s3://acme/sync_old")
_DUMPS = (2, 1, 3, 2, 4, 3, 2, 6)
_FAULTS = ("missing", "truncated", "garbage", "empty")


@st.composite
def exports(draw: st.DrawFn) -> Export:
    """Draw an export whose settled state is readable: only files that a later delivery voids are missing or broken."""
    throw = some_dice(draw)
    cast = _cast(throw)
    ids = _dump_ids(throw)
    finals = [drawn_dump(draw, dump_id, cast, _arrival(throw, place)) for place, dump_id in enumerate(ids)]
    finals = _with_voided_faults(throw, finals)
    dumps: list[Dump] = []
    touches: list[tuple[int, int]] = []
    for final in finals:
        versions = _versions(draw, throw, final, cast)
        dumps += versions
        if throw.once_in(10):
            touches.append((final.dump_id, versions[-1].modified + pools.DAY))
    if throw.once_in(8):
        dumps.append(replace(drawn_dump(draw, ids[-1] + 1, cast, finals[-1].modified), manifest="absent"))
    reports = tuple(drawn_report(throw, dump_id) for dump_id in ids if throw.once_in(5))
    return Export(tuple(dumps), reports, tuple(touches))


@dataclass(frozen=True)
class Fault:
    """An export with one fault, and the dump (as an entry of ``dumps``) that mends it when it is written again."""

    broken: Export
    mended: Export
    mend: Dump


@st.composite
def faults(draw: st.DrawFn) -> Fault:
    """Draw an export with a fault in a file or manifest, which makes a dump fail if it is needed."""
    export = replace(draw(exports()), touches=())
    throw = some_dice(draw)
    last = {dump.dump_id: place for place, dump in enumerate(export.dumps) if dump.manifest == "whole"}
    place = throw.pick(list(last.values()))
    whole = export.dumps[place]
    broken = _faulty(throw, whole)
    if broken.manifest != whole.manifest:
        whole = replace(whole, modified=whole.modified + pools.SECOND)
    return Fault(_with_dump(export, place, broken), _with_dump(export, place, whole), whole)


def _with_dump(export: Export, place: int, dump: Dump) -> Export:
    return replace(export, dumps=(*export.dumps[:place], dump, *export.dumps[place + 1 :]))


def _cast(throw: Dice) -> tuple[str, ...]:
    """Return the tables that take part."""
    cast = [throw.pick(TABLE_NAMES[:3])]
    cast += [throw.pick(TABLE_NAMES) for _ in range(throw.pick((0, 1, 2)))]
    cast += [table for table in ("users", "user_migrations") if not throw.once_in(5)]
    cast += [table for table in _SYSTEM if throw.once_in(5)]
    return tuple(dict.fromkeys(cast))


def _dump_ids(throw: Dice) -> list[int]:
    ids = [throw.pick((1, 9, 98, 1_008_461_850))]
    for _ in range(throw.pick(_DUMPS) - 1):
        ids.append(ids[-1] + throw.pick((1, 2, 1, 901)))
    return ids


def _arrival(throw: Dice, place: int) -> int:
    """Return when a manifest was written: mostly in the order of the numbers."""
    return pools.FIRST + (3 * place + throw.pick((0, 1, 7, -5))) * pools.DAY + throw.pick((0, 1, 654_321))


def drawn_dump(draw: st.DrawFn, dump_id: int, cast: tuple[str, ...], modified: int) -> Dump:
    """Draw one version of one dump."""
    throw = some_dice(draw)
    listings = tuple(_drawn_listing(draw, throw, table, modified) for table in cast if not throw.once_in(4))
    definitions = drawn_definitions(many_dice(draw)) if throw.once_in(4) else None
    return Dump(dump_id, listings, modified, definitions, prefix=throw.pick(_PREFIXES))


def _drawn_listing(draw: st.DrawFn, throw: Dice, table: str, modified: int) -> Listing:
    incremental = not throw.once_in(2 if table == "user_migrations" else 3)
    files = []
    for place in range(throw.pick((1, 2, 1, 1, 0, 1, 2, 3, 1, 1, 2))):
        before = throw.pick((60, 3600, 0, -5)) * pools.SECOND
        files.append(drawn_file(some_dice(draw), table, place, modified - before))
    every = columns_of(table)
    columns = () if files else throw.pick(((), every[:2], every[:5], every))
    return Listing(table, tuple(files), columns, incremental)


def _versions(draw: st.DrawFn, throw: Dice, final: Dump, cast: tuple[str, ...]) -> list[Dump]:
    """Return what arrives under one dump_id: a broken manifest, another content, the final one, the same once more."""
    versions = []
    hour = 3600 * pools.SECOND
    if throw.once_in(6):
        earlier = drawn_dump(draw, final.dump_id, cast, final.modified - hour)
        versions.append(replace(earlier, manifest_name=throw.pick(("", f"first_{final.dump_id}.json"))))
        final = replace(final, attempt=1)
    if throw.once_in(10):
        versions.insert(0, replace(final, manifest="garbage", modified=final.modified - 2 * hour))
    versions.append(final)
    if throw.once_in(10):
        again = replace(final, manifest_name=f"again_{final.dump_id}.json", modified=final.modified + hour)
        versions.append(again)
    return versions


def _with_voided_faults(throw: Dice, dumps: list[Dump]) -> list[Dump]:
    """Return the dumps with faults in some files that later dumps make unneeded."""
    voided: set[str] = set()
    faulty = []
    for dump in reversed(dumps):
        listings = []
        for listing in dump.listings:
            unneeded = listing.table in voided and throw.once_in(3)
            state = throw.pick(_FAULTS) if unneeded else "whole"
            listings.append(replace(listing, files=tuple(replace(file, state=state) for file in listing.files)))
            replaced = listing.table in _REPLACED and bool(listing.files)
            if replaced or not listing.incremental:
                voided.add(listing.table)
        faulty.insert(0, replace(dump, listings=tuple(listings)))
    return faulty


def _faulty(throw: Dice, dump: Dump) -> Dump:
    places = [(place, at) for place, listing in enumerate(dump.listings) for at in range(len(listing.files))]
    if not places or throw.once_in(3):
        return replace(dump, manifest="garbage")
    place, at = throw.pick(places)
    listing = dump.listings[place]
    file = listing.files[at]
    fault = throw.pick((*_FAULTS, "keyless"))
    if fault == "keyless":
        file = replace(file, fields=(replace(file.fields[0], name="renamed"), *file.fields[1:]))
    else:
        file = replace(file, state="garbage" if listing.table == "_event_metadata" else fault)
    files = (*listing.files[:at], file, *listing.files[at + 1 :])
    listings = (*dump.listings[:place], replace(listing, files=files), *dump.listings[place + 1 :])
    return replace(dump, listings=listings)
