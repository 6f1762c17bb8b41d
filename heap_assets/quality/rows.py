"""Rules on the rows of a delivery: their times, and whether what they refer to is there.

In: lazy frames of ids and times under their delivered names. Out: outcomes. Here: rules. Not here: which rows.
"""

from datetime import datetime, timedelta

import polars as pl

from heap_assets.quality.outcome import MOST_KEYS, Outcome, by_share, shown_keys

EARLIEST = datetime(2010, 1, 1)  # noqa: DTZ001  times are UTC without zone; Heap was founded in 2013
_AHEAD = timedelta(days=1)
MOST_OUT_OF_RANGE, FAR_TOO_MANY_OUT_OF_RANGE = 0.01, 0.5
MOST_UNKNOWN = 0.25


def times_outcome(rows: pl.LazyFrame, *, time: str, key: list[str], until: datetime) -> Outcome:
    """Return whether times lie between 2010 and a day after ``until``, when the dump was made (UTC without zone)."""
    odd = (pl.col(time) < EARLIEST) | (pl.col(time) > until + _AHEAD)
    total, count = rows.select(pl.len().alias("rows"), odd.sum().alias("odd")).collect().row(0)
    share = count / total if total else 0.0
    return Outcome(
        verdict=by_share(share, warn=MOST_OUT_OF_RANGE, fail=FAR_TOO_MANY_OUT_OF_RANGE),
        message=f"{count:,} of {total:,} times lie before 2010 or more than a day after the dump.",
        numbers={"rows": total, "out_of_range": count, "share": share},
        keys=shown_keys(rows.filter(odd).select(*key, time).head(MOST_KEYS).collect()) if count else (),
    )


def reference_outcome(rows: pl.LazyFrame, known: pl.LazyFrame, *, column: str, key: list[str], what: str) -> Outcome:
    """Return whether what the rows refer to is known: ``column`` against the only column of ``known``.

    Rows that refer to nothing do not matter here.
    """
    (there,) = known.collect_schema().names()
    refers = rows.filter(pl.col(column).is_not_null())
    unknown = refers.join(known.unique(), left_on=column, right_on=there, how="anti")
    total = int(refers.select(pl.len()).collect().item())
    lost = unknown.select(*dict.fromkeys((*key, column))).collect(engine="streaming")
    share = len(lost) / total if total else 0.0
    return Outcome(
        verdict=by_share(share, warn=MOST_UNKNOWN),
        message=f"{len(lost):,} of {total:,} rows have a {column} that is not among {what}.",
        numbers={"rows": total, "unknown": len(lost), "share": share},
        keys=shown_keys(lost.head(MOST_KEYS)),
    )
