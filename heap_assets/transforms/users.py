"""Users with identity resolved: one row per resolved user that has at least one row.

In: users, one row per recorded user id, and the identity_map. Out: the same columns on resolved users.
Source: Heap's documented users view (min joindate, max last_modified, identity, handle, email), and CONTRACT section 4
for every other column. Not here: computed properties (expressions/polars/labeled.py).
"""

from collections.abc import Iterable

import polars as pl
import polars.selectors as cs

_GREATEST = frozenset({"last_modified", "identity", "handle", "email"})
_RESOLVED, _RECORDED, _OWN = "$resolved", "$recorded", "$own"


def migrated_users(users: pl.DataFrame, identity_map: pl.DataFrame) -> pl.DataFrame:
    """Return users with ``user_id`` resolved, one row each, columns as in ``users``; order of rows not promised.

    joindate is the earliest, last_modified, identity, handle and email the greatest (text by code point). Any other
    column has, of the rows where it is not null, the value of the row last modified, then of the resolved user itself,
    then of the greatest user id.

    >>> users = pl.DataFrame({"user_id": [1, 2], "plan": ["free", None], "email": ["a@x", "b@x"]})
    >>> merged = pl.DataFrame({"user_id": [1], "resolved_user_id": [2]})
    >>> migrated_users(users, merged).rows()
    [(2, 'free', 'b@x')]
    """
    became = identity_map.rename({"resolved_user_id": _RESOLVED})
    resolved = users.join(became, on="user_id", how="left").with_columns(
        pl.col("user_id").alias(_RECORDED),
        pl.coalesce(_RESOLVED, "user_id").alias("user_id"),
    )
    alone = ~pl.col("user_id").is_duplicated()
    return pl.concat(
        [resolved.filter(alone).select(cs.by_name(*users.columns)), _merged(resolved.filter(~alone), users.columns)]
    )


def _merged(rows: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    recency = [pl.col("last_modified")] if "last_modified" in rows.columns else []
    ordered = rows.with_columns((pl.col(_RECORDED) == pl.col("user_id")).alias(_OWN)).sort(
        *recency, _OWN, _RECORDED, nulls_last=False
    )
    return (
        ordered.group_by("user_id", maintain_order=False)
        .agg(_merged_value(column) for column in columns if column != "user_id")
        .select(cs.by_name(*columns))
    )


def _merged_value(column: str) -> pl.Expr:
    values = cs.by_name(column).as_expr()
    if column == "joindate":
        return values.min()
    if column in _GREATEST:
        return values.max()
    return values.drop_nulls().last()
