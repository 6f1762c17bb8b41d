"""Rules on what a dump delivered of a table, against what came before: columns, volume, rows, full resyncs.

In: plain numbers and names, which the lake knows without opening a file. Here: rules. Not here: rows (rows.py).
"""

from collections.abc import Collection, Mapping, Sequence
from statistics import median

from heap_assets.quality.outcome import MOST_KEYS, Outcome, Verdict, by_share

FEWEST_DUMPS = 5
LEAST_VOLUME, MOST_VOLUME = 0.25, 4.0
_FEW_ROWS = 5
"""So many are never too many, however few are usual."""
MOST_UNDATED = 0.01
MOST_HISTORY_CHANGED = 0.05


def schema_outcome(before: Mapping[str, str] | None, now: Mapping[str, str]) -> Outcome:
    """Return how the columns of the newest delivery differ from the one before; types by column, '' where unknown."""
    if before is None:
        return Outcome(
            verdict=Verdict.PASSED, message="There is no delivery to compare with.", numbers={"columns": len(now)}
        )
    gone, new = sorted(before.keys() - now.keys()), sorted(now.keys() - before.keys())
    changed = sorted(
        column
        for column in before.keys() & now.keys()
        if before[column] and now[column] and before[column] != now[column]
    )
    message = [
        f"{word}: {', '.join(columns[:MOST_KEYS])}"
        for word, columns in (
            ("gone", gone),
            ("of another type", [f"{column} ({before[column]}, now {now[column]})" for column in changed]),
            ("new", new),
        )
        if columns
    ]
    return Outcome(
        verdict=Verdict.WARNING if gone or changed else Verdict.PASSED,
        message=f"Columns {'; '.join(message)}." if message else "The same columns as in the dump before.",
        numbers={"columns": len(now), "gone": len(gone), "new": len(new), "changed": len(changed)},
    )


def required_outcome(columns: Collection[str], *, must_have: Sequence[str], rows: int, undated: int) -> Outcome:
    """Return whether the newest delivery has the columns that it must have, and few rows without a time."""
    missing = [column for column in must_have if column not in columns]
    share = undated / rows if rows else 0.0
    numbers = {"rows": rows, "missing_columns": len(missing), "rows_without_time": undated, "share_without_time": share}
    if not rows:
        return Outcome(verdict=Verdict.PASSED, message="No row was delivered.", numbers=numbers)
    if missing:
        return Outcome(verdict=Verdict.FAILED, message=f"Lacks {', '.join(missing)}.", numbers=numbers)
    return Outcome(
        verdict=by_share(share, warn=MOST_UNDATED),
        message=f"Has {', '.join(must_have) or 'what it needs'}; {undated:,} of {rows:,} rows are without a time.",
        numbers=numbers,
    )


def volume_outcome(rows: int, recent: Sequence[int]) -> Outcome:
    """Return whether a delivery is about as large as recent ones; a few are needed to know what is usual."""
    if len(recent) < FEWEST_DUMPS:
        message = f"{rows:,} rows; {FEWEST_DUMPS} dumps are needed to know what is usual, {len(recent)} came before."
        return Outcome(verdict=Verdict.PASSED, message=message, numbers={"rows": rows})
    usual = median(recent)
    low, high = usual * LEAST_VOLUME, usual * MOST_VOLUME
    return Outcome(
        verdict=Verdict.PASSED if low <= rows <= max(high, _FEW_ROWS) else Verdict.WARNING,
        message=f"{rows:,} rows; the median of the last {len(recent)} dumps is {usual:,.0f}.",
        numbers={"rows": rows, "usual_rows": float(usual)},
    )


def rows_outcome(*, delivered: int, stored: int, heaps_count: int | None) -> Outcome:
    """Return whether every delivered row is in the lake.

    Args:
        delivered: Rows that were committed for the delivery.
        stored: Rows that the Parquet files of the delivery hold now.
        heaps_count: What Heap's own ``_sync_info`` says that it inserted; None if it says nothing.
    """
    numbers = {"rows_delivered": delivered, "rows_stored": stored}
    if stored != delivered:
        message = (
            f"{delivered:,} rows were landed, the lake holds {stored:,}. Run heap_sync with `reland` for this dump."
        )
        return Outcome(verdict=Verdict.FAILED, message=message, numbers=numbers)
    if heaps_count is not None and heaps_count != delivered:
        message = f"Heap says that it delivered {heaps_count:,} rows, the files had {delivered:,}. Ask Heap."
        return Outcome(verdict=Verdict.WARNING, message=message, numbers={**numbers, "rows_says_heap": heaps_count})
    return Outcome(
        verdict=Verdict.PASSED, message=f"All {delivered:,} delivered rows are in the lake.", numbers=numbers
    )


def resync_outcome(dump_id: int, *, incremental: bool, before: int | None, now: int) -> Outcome:
    """Return whether the newest delivery replaced the table, and by how much its rows changed.

    ``before`` are the rows of the deliveries that it made void; None if there were none, or the lake has them no more.
    """
    if incremental:
        return Outcome(verdict=Verdict.PASSED, message="Nothing was replaced.", numbers={"rows": now, "changed": 0.0})
    if not before:
        message = f"Dump {dump_id} delivered the whole table, {now:,} rows; none are known that it replaced."
        return Outcome(verdict=Verdict.PASSED, message=message, numbers={"rows": now, "changed": 0.0})
    changed = (now - before) / before
    return Outcome(
        verdict=by_share(abs(changed), warn=MOST_HISTORY_CHANGED),
        message=f"Dump {dump_id} delivered the whole table: {before:,} rows before, {now:,} now ({changed:+.1%}).",
        numbers={"rows": now, "rows_before": before, "changed": changed},
    )
