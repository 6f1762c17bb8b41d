"""User rows: how many rows of a table each recorded user has, so that a merge need not look through all rows.

Kept as files that add up, one for each time that deliveries came, put together when they become many. Rows are counted
as delivered, superseded ones included. Here: counting and keeping. Not here: what is made of them (user_map.py,
rows_of_merged_users.py).
"""

from collections.abc import Collection

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.schema.heap_tables import USERS
from heap_assets.transforms.duplicates import ENTITY, OWNER

USER, ROWS = "user_id", "rows"


def user_column(table: CurrentTable) -> str | None:
    """Return the column of the table's key frames that has the recorded user; None if the table is about no user."""
    if table.table is USERS:
        return ENTITY
    return OWNER if table.table.is_event_like else None


def counting_users(table: CurrentTable, keys: pl.LazyFrame) -> pl.LazyFrame:
    """Return how many rows of a key frame each user has: user_id, rows (Int64); no rows if it is about no user."""
    user = user_column(table)
    if user is None:
        return pl.LazyFrame(schema={USER: pl.Int64(), ROWS: pl.Int64()})
    return keys.group_by(pl.col(user).alias(USER)).agg(pl.len().cast(pl.Int64).alias(ROWS))


def with_user_rows(
    storage: Storage, files: tuple[str, ...], counted: pl.DataFrame, *, about: str, most_files: int
) -> tuple[str, ...]:
    """Return the files with one more for what was counted, put together where they would be more than so many."""
    if counted.is_empty():
        return files
    if len(files) >= most_files:
        before = [pl.read_parquet(storage.local_copy(file), glob=False) for file in files]
        counted, files = pl.concat([*before, counted]).group_by(USER).agg(pl.col(ROWS).sum()), ()
    return (*files, write_file(storage, "resolved", counted, about=about).path)


def users_with_rows(storage: Storage, files: Collection[str]) -> pl.DataFrame:
    """Return every recorded user (user_id) that these files count, each once."""
    counted = [pl.scan_parquet(storage.local_copy(file), glob=False).select(USER) for file in files]
    return pl.concat([pl.LazyFrame(schema={USER: pl.Int64()}), *counted]).unique().collect(engine="streaming")
