"""Keys: each row of a table has one, and no two rows have the same.

What fails here must not be published: joins would multiply rows, or lose them. Here: rules on frames of key columns.
Not here: which rows to look at (pipeline/inspect/key_check.py).
"""

import polars as pl

from heap_assets.quality.outcome import MOST_KEYS, Outcome, Verdict, shown_keys

DAMAGED_SHARE = 0.5
DAMAGED_ROWS = 100
"""A delivery of at least so many rows of which more than that share lacks an id is damaged; fewer are quarantined."""


def key_outcome(keys: pl.DataFrame, *, rows: int) -> Outcome:
    """Return whether keys are unique and not null.

    ``keys`` has the key columns of those rows that could share their key with another or lack it, and nothing else;
    ``rows`` is how many rows were looked at to find them.
    """
    null = keys.filter(pl.any_horizontal(pl.all().is_null()))
    repeated = keys.filter(pl.struct(pl.all()).is_duplicated()).unique().sort(pl.all())
    numbers = {"rows_checked": rows, "rows_without_key": len(null), "repeated_keys": len(repeated)}
    name = ", ".join(keys.columns)
    if not len(null) and not len(repeated):
        return Outcome(verdict=Verdict.PASSED, message=f"Each row has a key of its own ({name}).", numbers=numbers)
    return Outcome(
        verdict=Verdict.FAILED,
        message=f"{len(repeated):,} keys ({name}) stand in more than one row, {len(null):,} rows have none. Nothing is"
        " published. Run heap_sync with `ops.resolve.config.rebuild: true`.",
        numbers=numbers,
        keys=shown_keys(pl.concat([null, repeated]).head(MOST_KEYS)),
    )


def delivery_outcome(ids: pl.DataFrame, *, dump_id: int, rows: int) -> Outcome | None:
    """Return what is wrong with a delivery of which too many rows lack an id; None if it can be published.

    ``ids`` has the required ids of those rows that lack one, ``rows`` is how many rows were delivered.
    """
    if rows < DAMAGED_ROWS or len(ids) <= rows * DAMAGED_SHARE:
        return None
    return Outcome(
        verdict=Verdict.FAILED,
        message=f"Dump {dump_id}: {len(ids):,} of {rows:,} rows lack an id that they need. Nothing is published. Have"
        " Heap deliver the dump again; the sensor takes it at once.",
        numbers={"rows_checked": rows, "rows_without_key": len(ids), "repeated_keys": 0},
        keys=shown_keys(ids.head(MOST_KEYS)),
    )
