"""The user map: whom each recorded user of the event tables is resolved to, as a file that the published views join.

A view that coalesced the two sides of a join would hide from DuckDB that a filter by user concerns the rows as well.
While the previous identity map is known, only new and remapped users are looked up. Here: the file. Not here: the
rule (transforms/identity.py), the view of it (targets/duckdb/internal_schema.py).
"""

from collections.abc import Collection

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.pipeline.resolve.resolved_state import UserMapState
from heap_assets.pipeline.resolve.user_rows import users_with_rows
from heap_assets.transforms.identity import resolutions


def user_map(
    storage: Storage,
    user_rows: Collection[str],
    before: UserMapState | None,
    *,
    identity_map: pl.DataFrame,
    remapped: pl.DataFrame,
) -> UserMapState:
    """Return the file of user_id, resolved_user_id (Int64) for all users whom the ``user_rows`` files name, or more.

    ``remapped`` (user_id) are those who resolve otherwise than for ``before``.
    """
    if before is not None and remapped.is_empty() and set(user_rows) <= set(before.user_rows):
        return before
    if before is None:
        rows = resolutions(users_with_rows(storage, user_rows), identity_map)
    else:
        came = users_with_rows(storage, set(user_rows) - set(before.user_rows))
        affected = pl.concat([came, remapped.select("user_id")]).unique()
        known = pl.read_parquet(storage.local_copy(before.path), glob=False)
        stay = ~pl.col("user_id").is_in(affected["user_id"].implode())
        rows = pl.concat([known.filter(stay), resolutions(affected, identity_map)])
    return UserMapState(path=write_file(storage, "resolved", rows, about="user_map").path, user_rows=tuple(user_rows))
