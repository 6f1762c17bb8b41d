"""The merged users: one row per resolved user, kept in layers that the published users are read from.

While columns and older deliveries stay, only new and remapped users are merged again. Here: who is affected.
Not here: the rule (transforms/users.py), layers (lake/layers.py).
"""

from dataclasses import replace

import polars as pl

from heap_assets.lake.layers import RowsByUser
from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.limits import LayerLimits
from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.pipeline.resolve.resolved_state import UsersState
from heap_assets.pipeline.resolve.table_duplicates import TableDuplicates
from heap_assets.schema.heap_tables import USERS
from heap_assets.schema.table_schema import TableSchema
from heap_assets.transforms.duplicates import ENTITY
from heap_assets.transforms.identity import affected_users, recorded_users
from heap_assets.transforms.users import migrated_users


def merged_users(
    storage: Storage,
    users: CurrentTable,
    found: TableDuplicates,
    before: UsersState | None,
    *,
    identity_map: pl.DataFrame,
    remapped: pl.DataFrame,
    merges: tuple[str, ...],
    limits: LayerLimits,
) -> UsersState:
    """Return the merged users; ``remapped`` (user_id, before) are those who resolve otherwise than for ``before``."""
    after = UsersState(
        layers=(), rows=0, deliveries=users.deliveries(), columns=repr(users.table_schema), merges=merges
    )
    if before is not None and replace(before, layers=(), rows=0) == after:
        return before
    affected = None
    if before is not None and before.columns == after.columns and set(before.deliveries) <= set(after.deliveries):
        affected = _affected(found, identity_map, remapped, arrived=before.deliveries != after.deliveries)
    only = None if affected is None else recorded_users(affected, identity_map)
    if before is not None and affected is not None and affected.is_empty():
        return replace(after, layers=before.layers, rows=before.rows)
    rows = users.rows(found.superseded(), of_users=only).collect(engine="streaming")
    names = users.table_schema.names_in_s()  # DuckDB cannot tell a from A
    merged = migrated_users(rows, identity_map).rename(names)
    by_user = by_merged_user(users.table_schema)
    if before is None or affected is None:
        layer = by_user.kept(storage, merged)
        return replace(after, layers=(layer,), rows=layer.rows)
    whose = write_file(storage, by_user.folder, affected, about=by_user.about).path
    layers, count = by_user.with_layer(storage, before, by_user.kept(storage, merged, users=whose), limits)
    return replace(after, layers=layers, rows=count)


def by_merged_user(users: TableSchema) -> RowsByUser:
    """Return how the merged users of a table of this shape are kept."""
    return RowsByUser(users.names_in_s()["user_id"], "resolved", USERS.kind)


def _affected(
    found: TableDuplicates, identity_map: pl.DataFrame, remapped: pl.DataFrame, *, arrived: bool
) -> pl.DataFrame | None:
    """Return the resolved users (user_id) whose row may be another one now; None if it is not known whose rows came."""
    if arrived and found.touched is None:
        return None
    came = pl.DataFrame(schema={"user_id": pl.Int64()})
    if found.touched is not None:
        came = found.touched.select(pl.col(ENTITY).alias("user_id"))
    return affected_users(came, remapped=remapped, identity_map=identity_map)
