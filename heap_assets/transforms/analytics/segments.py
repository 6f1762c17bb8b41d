"""Segments: the users for whom all conditions of a segment hold.

In: users on resolved users, and who did what. Out: segment_<name>. A function of one user's rows.
Source: CONTRACT section 5. Not here: which events there are.
"""

from collections.abc import Mapping

import polars as pl

from heap_assets.transforms.analytics.text_columns import equal_texts


def segment(
    users: pl.DataFrame,
    *,
    where: Mapping[str, str] | None = None,
    did: pl.DataFrame | None = None,
    did_not: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the segment's users: the column user_id (Int64) alone, in the order of ``users``.

    In: ``users`` has user_id (Int64) and any other column; ``where`` names columns with the texts that they must equal
    (a column that users lack equals nothing); ``did`` and ``did_not`` are rows of the event, with user_id, in any
    number. None says that there is no such condition, an event that nobody did is a frame without rows.

    >>> users = pl.DataFrame({"user_id": [1, 2, 3], "plan": ["gold", "gold", None]})
    >>> segment(users, where={"plan": "gold"}, did_not=pl.DataFrame({"user_id": [2, 2]})).rows()
    [(1,)]
    """
    found = users.filter(equal_texts(where or {}, users.schema)).select("user_id")
    if did is not None:
        found = found.join(_doers(did), on="user_id", how="semi", maintain_order="left")
    if did_not is not None:
        found = found.join(_doers(did_not), on="user_id", how="anti", maintain_order="left")
    return found


def _doers(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(pl.col("user_id").cast(pl.Int64))
