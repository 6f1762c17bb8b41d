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
from heap_assets.transforms.identity import moved_users, resolved_users

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
    found = [pl.DataFrame(schema={"user_id": pl.Int64()})]
    for name, table in resolution.tables.items():
        if not _has_users(table.current):
            continue
        of_table = _recorded_users(table.current, seen.covers.get(name, ()))
        if of_table is None:
            return None
        found.append(of_table)
    after = resolution.identity_map
    if seen.identity_map is None:
        return None
    before = pl.read_parquet(storage.local_copy(seen.identity_map), glob=False)
    recorded = pl.concat([*found, moved_users(before, after).select("user_id")]).unique()
    return pl.concat([resolved_users(recorded, before), resolved_users(recorded, after)]).unique().sort("user_id")


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
