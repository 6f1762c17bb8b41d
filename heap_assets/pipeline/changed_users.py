"""Whose rows changed since an earlier analysis: the only users for whom the models are made anew.

A user changes when a delivery that came or no longer counts has a row of the user, or when whom a recorded user id
resolves to changed; then both the old and the new user do. Every rule that makes a row count compares rows of one
user alone, so nobody else can be touched. Not here: what is then made anew (analysis.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from heap_assets.catalog import USERS
from heap_assets.columns import ValueType, stored_name
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.current import CurrentTable
from heap_assets.pipeline.resolution import Resolution

_USER = stored_name("user_id", ValueType.LONG)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenData:
    """The data that an analysis saw: the deliveries of each table with users, and the file of the identity map."""

    covers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    merges: tuple[str, ...] = ()
    identity_map: str | None = None


def covers_of(resolution: Resolution) -> dict[str, tuple[str, ...]]:
    """Return the deliveries of each table that has users."""
    return {name: table.current.covers() for name, table in resolution.tables.items() if _has_users(table.current)}


def changed_users(storage: Storage, resolution: Resolution, seen: SeenData) -> pl.DataFrame | None:
    """Return the resolved users that changed (user_id), old and new ones; None if the lake cannot tell any more."""
    recorded = [pl.DataFrame(schema={"user_id": pl.Int64()})]
    for name, table in resolution.tables.items():
        if not _has_users(table.current):
            continue
        found = _recorded_users(table.current, seen.covers.get(name, ()))
        if found is None:
            return None
        recorded.append(found)
    touched = pl.concat(recorded).unique()
    after = resolution.identity_map
    if seen.identity_map is None:
        return None
    before = pl.read_parquet(storage.local_copy(seen.identity_map), glob=False)
    moved = _moved(before, after)
    return pl.concat([_resolved(touched, before), _resolved(touched, after), moved]).unique().sort("user_id")


def recorded_as(users: pl.DataFrame, identity_map: pl.DataFrame) -> pl.Series:
    """Return every recorded id of these resolved users."""
    merged = identity_map.join(users, left_on="resolved_user_id", right_on="user_id", how="semi")["user_id"]
    return pl.concat([users["user_id"], merged]).unique()


def _has_users(table: CurrentTable) -> bool:
    return table.table.is_event_like or table.table is USERS


def _recorded_users(table: CurrentTable, before: tuple[str, ...]) -> pl.DataFrame | None:
    """Return the users of the deliveries that came or no longer count; None if the files of one are gone."""
    now = table.covers()
    different = set(before) ^ set(now)
    files = table.files_ever(different)
    if files is None:
        return None
    rows = (
        table.landed.scan([file.path for file in files], [_USER])
        .select(pl.col(_USER).alias("user_id"))
        .drop_nulls()
        .unique()
    )
    return rows.collect(engine="streaming")


def _resolved(users: pl.DataFrame, identity_map: pl.DataFrame) -> pl.DataFrame:
    return users.join(identity_map, on="user_id", how="left").select(
        pl.coalesce("resolved_user_id", "user_id").alias("user_id")
    )


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the old and the new user of each recorded id that resolves to somebody else now."""
    both = before.join(after, on="user_id", how="full", coalesce=True, suffix="_after").select(
        pl.coalesce("resolved_user_id", "user_id").alias("old"),
        pl.coalesce("resolved_user_id_after", "user_id").alias("new"),
    )
    moved = both.filter(pl.col("old") != pl.col("new"))
    return pl.concat([moved.select(pl.col(side).alias("user_id")) for side in ("old", "new")])
