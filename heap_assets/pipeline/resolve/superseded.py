"""Superseded rows: those of all tables that do not count, as a file that the published views leave out.

One file for all tables, in which the rows of a table lie together. Here: the file, and under which numbers the rows of
a table stand in it. Not here: which rows those are (table_duplicates.py), the view of it (publish/internal_schema.py).
"""

from collections.abc import Iterable, Mapping

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import kept_rows
from heap_assets.pipeline.resolve.resolved_state import SupersededState
from heap_assets.pipeline.resolve.table_duplicates import TableOverlaps
from heap_assets.schema.stored_columns import ROW_ID
from heap_assets.transforms.duplicates import LOSES, LOSES_WHEN_MERGED

_SCHEMA = {"of": pl.Int64(), "row_id": pl.Int64()}


def superseded_rows(
    storage: Storage, tables: Mapping[str, TableOverlaps], before: SupersededState | None
) -> SupersededState:
    """Return the file of ``of, row_id`` (Int64): a number of numbers_of, and a row that does not count."""
    overlaps = tuple((name, table.path) for name, table in tables.items())
    if before is not None and before.overlaps == overlaps:
        return before
    lost = [pl.DataFrame(schema=_SCHEMA)]
    for name, table in tables.items():
        first, _ = numbers_of(name, tables, migrated=False)
        number = first + 1 + pl.col(LOSES_WHEN_MERGED).cast(pl.Int64) - pl.col(LOSES).cast(pl.Int64)
        rows = table.settled.filter(pl.col(LOSES) | pl.col(LOSES_WHEN_MERGED))
        lost.append(rows.select(number.alias("of"), pl.col(ROW_ID).alias("row_id")))
    return SupersededState(
        path=kept_rows(storage, "resolved", pl.concat(lost), about="superseded").path, overlaps=overlaps
    )


def numbers_of(name: str, tables: Iterable[str], *, migrated: bool) -> tuple[int, int]:
    """Return the two numbers, one after the other, of the rows of a table that do not count.

    A table has three: of rows that lose as recorded alone, of those that lose in either case, of those that lose once
    users are resolved. Most lose in either case, and stand in the file once so.
    """
    first = 3 * list(tables).index(name) + migrated
    return first, first + 1
