"""Exports described in few words, for worked examples.

>>> data_file("user_id:long plan", (1, "gold")).fields[1]
Field(name='plan', type='string', union='null_first')
"""

from collections.abc import Mapping

from heap_assets_tests.exports.description import Dump, Field, File, Listing
from heap_assets_tests.exports.pools import DAY, FIRST


def data_file(columns: str, *rows: tuple, name: str = "0.avro", **more: object) -> File:
    """Return a data file: columns as ``name`` or ``name:type`` parted by blanks, a tuple per row."""
    parted = [column.partition(":") for column in columns.split()]
    fields = tuple(Field(column, avro_type or "string") for column, _, avro_type in parted)
    return File(name, fields, rows, **{"modified": FIRST, **more})


def dump(dump_id: int, tables: Mapping[str, tuple[File, ...] | File | Listing], **more: object) -> Dump:
    """Return a dump of incremental tables, its manifest written as many days after the first one as its number says."""
    listings = []
    for table, what in tables.items():
        if isinstance(what, Listing):
            listings.append(what)
        else:
            listings.append(Listing(table, what if isinstance(what, tuple) else (what,)))
    return Dump(dump_id, tuple(listings), **{"modified": FIRST + dump_id * DAY, **more})


def full(table: str, *files: File, columns: tuple[str, ...] = ()) -> Listing:
    """Return a full resync of a table."""
    return Listing(table, files, columns, incremental=False)
