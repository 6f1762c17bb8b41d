"""A rule on attribution: whether conversions have more touches than count.

In: conversions with more touches than that, with their users. Not here: finding them (pipeline/inspect/touch_check.py).
"""

import polars as pl

from heap_assets.quality.outcome import MOST_KEYS, Outcome, Verdict, shown_keys


def touches_outcome(cut: pl.DataFrame, *, conversions: int, max_touches: int) -> Outcome:
    """Return how many of so many conversions have more than ``max_touches`` touches.

    In: ``cut`` has one row for each such conversion: heap_user_id, touches (Int64).
    """
    users = cut.group_by("heap_user_id").agg(pl.len().alias("conversions"), pl.col("touches").max())
    worst = users.sort("touches", "conversions", "heap_user_id", descending=[True, True, False])
    return Outcome(
        verdict=Verdict.WARNING if len(cut) else Verdict.PASSED,
        message=f"{len(cut):,} of {conversions:,} conversions, of {len(users):,} users, have more than {max_touches:,}"
        " touches; the first one and the newest others count. See whether these users are people.",
        numbers={"conversions": conversions, "cut_conversions": len(cut), "users": len(users)},
        keys=shown_keys(worst.head(MOST_KEYS)),
    )
