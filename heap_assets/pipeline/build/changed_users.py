"""Whose rows changed since an earlier analysis: the only users for whom the models are built again.

A user changes when a delivery that came or no longer counts has a row of the user, or when whom a recorded user id
resolves to changed; then both the old and the new user do. Every rule that makes a row count compares rows of one
user alone, so nobody else can be touched. Not here: what is then built (analysis.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
from heap_assets.pipeline.resolve.user_rows import user_column
from heap_assets.schema.stored_columns import stored_name
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms.identity import affected_users, remapped_users

_USER = stored_name("user_id", ValueType.LONG)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenData:
    """The data that an analysis saw: the deliveries of each table with users, and the file of the identity map."""

    deliveries: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    merges: tuple[str, ...] = ()
    identity_map: str | None = None


def deliveries_of(resolution: Resolution) -> dict[str, tuple[str, ...]]:
    """Return the deliveries of each table that has users."""
    return {name: table.current.deliveries() for name, table in resolution.tables.items() if user_column(table.current)}


def changed_users(storage: Storage, resolution: Resolution, seen: SeenData) -> pl.DataFrame | None:
    """Return the resolved users that changed (user_id), old and new ones; None if the lake cannot tell any more."""
    found = [pl.DataFrame(schema={"user_id": pl.Int64()})]
    for name, table in resolution.tables.items():
        user = user_column(table.current)
        if user is None:
            continue
        of_table = _recorded_users(table, user, seen.deliveries.get(name, ()))
        if of_table is None:
            return None
        found.append(of_table)
    if seen.identity_map is None:
        return None
    remapped = resolution.remapped  # since the last analysis, unless tables were resolved meanwhile without one
    if seen.identity_map != resolution.remapped_since:
        then = pl.read_parquet(storage.local_copy(seen.identity_map), glob=False)
        remapped = remapped_users(then, resolution.identity_map)
    affected = affected_users(pl.concat(found), remapped=remapped, identity_map=resolution.identity_map)
    return affected.sort("user_id")


def _recorded_users(table: ResolvedTable, user: str, before: tuple[str, ...]) -> pl.DataFrame | None:
    """Return the users of the deliveries that came or no longer count; None if the files of one are gone.

    ``user`` is the column of key frames that has them: those of what came are at hand if it was resolved just now.
    """
    if table.duplicates.touched is not None and table.since == frozenset(before):
        return table.duplicates.touched.select(pl.col(user).alias("user_id")).drop_nulls().unique()
    files = table.current.files_ever(set(before) ^ set(table.current.deliveries()))
    if files is None:
        return None
    rows = (
        table.current.landed.scan([file.path for file in files], [_USER])
        .select(pl.col(_USER).alias("user_id"))
        .drop_nulls()
        .unique()
    )
    return rows.collect(engine="streaming")
