"""Everybody: whom each recorded user of the event tables is resolved to, as a file that the published views join.

A view that coalesced the two sides of a join would hide from DuckDB that a filter by user concerns the rows as well.
While the identity map of before is known, only the users who came or moved are looked up. Here: the file. Not here: the
rule (transforms/identity.py), the view of it (publish/internal_schema.py).
"""

from collections.abc import Collection

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import kept_rows
from heap_assets.pipeline.resolve.resolved_state import EverybodyState
from heap_assets.pipeline.resolve.user_rows import users_with_rows
from heap_assets.transforms.identity import resolutions


def everybody(
    storage: Storage,
    user_rows: Collection[str],
    before: EverybodyState | None,
    *,
    identity_map: pl.DataFrame,
    moved: pl.DataFrame,
) -> EverybodyState:
    """Return the file of user_id, resolved_user_id (Int64) for all users whom the ``user_rows`` files name, or more.

    ``moved`` (user_id) are those who resolve otherwise than for ``before``.
    """
    if before is not None and moved.is_empty() and set(user_rows) <= set(before.user_rows):
        return before
    if before is None:
        rows = resolutions(users_with_rows(storage, user_rows), identity_map)
    else:
        came = users_with_rows(storage, set(user_rows) - set(before.user_rows))
        concerned = pl.concat([came, moved.select("user_id")]).unique()
        known = pl.read_parquet(storage.local_copy(before.path), glob=False)
        stay = ~pl.col("user_id").is_in(concerned["user_id"].implode())
        rows = pl.concat([known.filter(stay), resolutions(concerned, identity_map)])
    return EverybodyState(path=kept_rows(storage, "resolved", rows, about="everybody").path, user_rows=tuple(user_rows))
