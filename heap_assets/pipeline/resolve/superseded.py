"""Superseded rows: those of all tables that do not count, as a file that the published views leave out.

One file for all tables, in which the rows of a table lie together. Here: the file. Not here: which rows those are
(table_duplicates.py), the view of it (targets/).
"""

from collections.abc import Mapping

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.pipeline.resolve.resolved_state import SupersededState
from heap_assets.pipeline.resolve.table_duplicates import TableDuplicates
from heap_assets.schema.stored_columns import ROW_ID
from heap_assets.transforms.duplicates import LOSES, LOSES_WHEN_MERGED

_SCHEMA = {
    "table_name": pl.String(),
    "row_id": pl.Int64(),
    "as_recorded": pl.Boolean(),
    "on_resolved_users": pl.Boolean(),
}


def superseded_rows(
    storage: Storage, tables: Mapping[str, TableDuplicates], before: SupersededState | None
) -> SupersededState:
    """Return the file: of each table (delivered name) the rows that do not count, and with which users they do not."""
    duplicates = tuple((name, table.path) for name, table in tables.items())
    if before is not None and before.duplicates == duplicates:
        return before
    lost = [pl.DataFrame(schema=_SCHEMA)]
    for name, table in tables.items():
        rows = table.with_duplicates.filter(pl.col(LOSES) | pl.col(LOSES_WHEN_MERGED))
        flags = (pl.col(LOSES).alias("as_recorded"), pl.col(LOSES_WHEN_MERGED).alias("on_resolved_users"))
        lost.append(rows.select(pl.lit(name).alias("table_name"), pl.col(ROW_ID).alias("row_id"), *flags))
    kept = write_file(storage, "resolved", pl.concat(lost), about="superseded")
    return SupersededState(path=kept.path, duplicates=duplicates)
