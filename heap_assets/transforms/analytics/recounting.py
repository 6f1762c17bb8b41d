"""Counts over users, brought up to date when the rows of some users changed.

What users add to a count does not depend on anybody else, so the users that changed are taken out as they were and
put in as they are. Whole numbers only: sums of fractions would depend on their order.
Here: the arithmetic. Not here: what is counted (paths.py, retention.py, attribution.py).
"""

from collections.abc import Sequence

import polars as pl


def recounted(before: pl.LazyFrame, gone: pl.LazyFrame, come: pl.LazyFrame, *, counts: Sequence[str]) -> pl.LazyFrame:
    """Return ``before`` less ``gone`` plus ``come``; all have the same columns, ``counts`` (Int64) and the keys.

    Rows of which every count is 0 are left out. Order of rows not promised.

    >>> frames = [pl.LazyFrame({"path": [path], "users": [users]}) for path, users in [("a", 3), ("a", 1), ("b", 1)]]
    >>> recounted(*frames, counts=["users"]).sort("path").collect().rows()
    [('a', 2), ('b', 1)]
    """
    columns = before.collect_schema().names()
    keys = [column for column in columns if column not in counts]
    taken = gone.with_columns(-pl.col(count) for count in counts)
    parts = [part.select(columns) for part in (before, taken, come)]
    summed = pl.concat(parts).group_by(keys).agg(pl.col(count).sum() for count in counts)
    return summed.filter(pl.any_horizontal(pl.col(count) != 0 for count in counts)).select(columns)
