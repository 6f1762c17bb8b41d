"""Rows of merged users: how many rows that count were recorded for a user who was merged into another.

The UI shows it of each table; it follows from the user rows and the duplicates, so that no row is read again. Not here:
keeping user rows (user_rows.py).
"""

from collections.abc import Collection, Mapping

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.pipeline.resolve.user_rows import ROWS, USER, user_column
from heap_assets.transforms.duplicates import LOSES

_OF = "table"
_NO_ROWS = {USER: pl.Int64(), ROWS: pl.Int64(), _OF: pl.String()}


def rows_of_merged_users(storage: Storage, resolution: Resolution, names: Collection[str]) -> Mapping[str, int]:
    """Return the number for each of these tables; 0 of one that is about no user."""
    tables = {name: resolution.tables[name] for name in names}
    delivered = [
        pl.scan_parquet([storage.local_copy(file) for file in table.duplicates.user_rows], glob=False).select(
            USER, ROWS, pl.lit(name).alias(_OF)
        )
        for name, table in tables.items()
        if table.duplicates.user_rows
    ]
    lost = [
        table.duplicates.with_duplicates.lazy()
        .filter(LOSES)
        .select(pl.col(user).alias(USER), pl.lit(-1, dtype=pl.Int64).alias(ROWS), pl.lit(name).alias(_OF))
        for name, table in tables.items()
        if (user := user_column(table.current)) is not None
    ]
    rows = pl.concat([pl.LazyFrame(schema=_NO_ROWS), *delivered, *lost])
    merged = resolution.identity_map.lazy().select(USER)  # a join: is_in builds its set again for each batch of rows
    found = rows.join(merged, on=USER, how="semi").group_by(_OF).agg(pl.col(ROWS).sum()).collect(engine="streaming")
    return dict.fromkeys(names, 0) | dict(found.iter_rows())
