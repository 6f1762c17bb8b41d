"""User rows: how many rows of a table each recorded user has, so that a merge need not look through all rows.

Kept as files that add up, one for each time that deliveries came, put together when they become many. Rows are counted
as delivered, superseded ones included. Here: counting, keeping, asking.
"""

from collections.abc import Collection, Mapping

import polars as pl

from heap_assets.catalog import USERS
from heap_assets.lake.kept_rows import kept_rows
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.current import CurrentTable
from heap_assets.transforms.overlaps import ENTITY, OWNER

_USER, _ROWS, _OF = "user_id", "rows", "table"
_MOST_FILES = 8


def user_column(table: CurrentTable) -> str | None:
    """Return the column of the table's key frames that has the recorded user; None if the table is about no user."""
    if table.table is USERS:
        return ENTITY
    return OWNER if table.table.is_event_like else None


def counting_users(table: CurrentTable, keys: pl.LazyFrame) -> pl.LazyFrame:
    """Return how many rows of a key frame each user has: user_id, rows (Int64); no rows if it is about no user."""
    user = user_column(table)
    if user is None:
        return pl.LazyFrame(schema={_USER: pl.Int64(), _ROWS: pl.Int64()})
    return keys.group_by(pl.col(user).alias(_USER)).agg(pl.len().cast(pl.Int64).alias(_ROWS))


def with_user_rows(storage: Storage, files: tuple[str, ...], counted: pl.DataFrame, *, about: str) -> tuple[str, ...]:
    """Return the files with one more for what was counted, put together where they are many."""
    if counted.is_empty():
        return files
    if len(files) >= _MOST_FILES:
        before = [pl.read_parquet(storage.local_copy(file), glob=False) for file in files]
        counted, files = pl.concat([*before, counted]).group_by(_USER).agg(pl.col(_ROWS).sum()), ()
    return (*files, kept_rows(storage, "resolved", counted, about=about).path)


def users_with_rows(storage: Storage, files: Collection[str]) -> pl.DataFrame:
    """Return every recorded user (user_id) that these files count, each once."""
    counted = [pl.scan_parquet(storage.local_copy(file), glob=False).select(_USER) for file in files]
    return pl.concat([pl.LazyFrame(schema={_USER: pl.Int64()}), *counted]).unique().collect(engine="streaming")


def rows_of_users(storage: Storage, files: Mapping[str, tuple[str, ...]], users: pl.DataFrame) -> dict[str, int]:
    """Return of each table how many rows these recorded users (user_id) have; of all tables in one go."""
    parts = [
        pl.scan_parquet([storage.local_copy(file) for file in named], glob=False).with_columns(pl.lit(name).alias(_OF))
        for name, named in files.items()
        if named
    ]
    empty = pl.LazyFrame(schema={_USER: pl.Int64(), _ROWS: pl.Int64(), _OF: pl.String()})
    return _summed(pl.concat([empty, *parts], how="diagonal"), users)


def rows_by_user(tables: Mapping[str, pl.Series], users: pl.DataFrame) -> dict[str, int]:
    """Return of each table how many of these rows, each given by its recorded user, are of these users (user_id)."""
    parts = [
        pl.LazyFrame({_USER: of_rows}).with_columns(pl.lit(1, dtype=pl.Int64).alias(_ROWS), pl.lit(name).alias(_OF))
        for name, of_rows in tables.items()
    ]
    empty = pl.LazyFrame(schema={_USER: pl.Int64(), _ROWS: pl.Int64(), _OF: pl.String()})
    return _summed(pl.concat([empty, *parts]), users)


def _summed(rows: pl.LazyFrame, users: pl.DataFrame) -> dict[str, int]:
    # a join, since is_in builds its set anew for each batch of rows
    theirs = rows.join(users.lazy(), on=_USER, how="semi").group_by(_OF).agg(pl.col(_ROWS).sum())
    return dict(theirs.collect(engine="streaming").iter_rows())
