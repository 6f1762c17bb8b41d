"""What the rows of a table say in sum: counts, and the first and last time.

Sums are taken over all rows with their ids, for a first run in the pass that looks for duplicates, later over new rows,
and then corrected by the few rows that are superseded. Not here: which rows those are (transforms/duplicates.py).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.schema.stored_columns import ROW_ID, stored_name
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms.duplicates import LOSES, LOSES_WHEN_MERGED, NEWEST_BY

_NONE = pl.Series(dtype=pl.Int64)
_TIMES = ("first_time", "last_time", "synced_to")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (UTC without zone, as stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """Counts and times of a table; times UTC without zone."""

    rows: int = 0
    migrated_rows: int = 0
    quarantined_rows: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None
    synced_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSums:
    """Sums over the rows of some deliveries, superseded ones included; times UTC without zone.

    Attributes:
        deliveries: The deliveries that were summed.
        ended: When the last dump that listed the table was written.
        synced_to: The last time that is not after ``ended``.
        ahead: The first of those that are, each once, in microseconds of the epoch.
        ahead_is_all: Whether these are all of them.
    """

    deliveries: tuple[str, ...]
    ended: datetime
    rows: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None
    synced_to: datetime | None = None
    ahead: tuple[int, ...] = ()
    ahead_is_all: bool = True

    def at(self, ended: datetime) -> "TableSums | None":
        """Return the sums for a dump that was written then; None if they do not tell."""
        end = _micros(ended)
        reached = bisect_right(self.ahead, end)
        if ended < self.ended or (reached == len(self.ahead) and not self.ahead_is_all):
            return None
        last = _EPOCH + timedelta(microseconds=self.ahead[reached - 1]) if reached else None
        return replace(self, ended=ended, synced_to=_last(self.synced_to, last), ahead=self.ahead[reached:])


def summing(table: CurrentTable, keys: pl.LazyFrame, *, most_ahead: int) -> pl.LazyFrame:
    """Return one row of sums over a key frame, of which newest_by is read; at most so many times are ahead."""
    time, ended = pl.col(NEWEST_BY), _ended(table)
    return keys.select(
        rows=pl.len().cast(pl.Int64),
        first_time=time.min(),
        last_time=time.max(),
        synced_to=time.filter(time <= ended).max(),
        ahead=time.filter(time > ended).to_physical().unique().bottom_k(most_ahead + 1).sort().implode(),
    )


def table_sums(table: CurrentTable, row: pl.DataFrame, *, most_ahead: int) -> TableSums:
    """Return the sums of all deliveries from what ``summing`` computed."""
    found = row.row(0, named=True)
    sums = TableSums(deliveries=table.deliveries(), ended=_ended(table), **{**found, "ahead": ()})
    return _with_ahead(sums, found["ahead"], most_ahead)


def grown_sums(
    table: CurrentTable, before: TableSums | None, new_rows: pl.DataFrame | None = None, *, most_ahead: int
) -> TableSums:
    """Return the sums of all deliveries; what was there before is not read if the key frame of the rest is enough."""
    known = None if before is None else before.at(_ended(table))
    if known is None or (new_rows is None and known.deliveries != table.deliveries()):
        summed = summing(table, _times(table, _NONE), most_ahead=most_ahead).collect(engine="streaming")
        return table_sums(table, summed, most_ahead=most_ahead)
    if new_rows is None:
        return known
    summed = summing(table, new_rows.lazy(), most_ahead=most_ahead).collect()
    came = table_sums(table, summed, most_ahead=most_ahead)
    sums = replace(
        came,
        rows=known.rows + came.rows,
        first_time=_first(known.first_time, came.first_time),
        last_time=_last(known.last_time, came.last_time),
        synced_to=_last(known.synced_to, came.synced_to),
        ahead_is_all=known.ahead_is_all and came.ahead_is_all,
    )
    known_until = [one.ahead[-1] for one in (known, came) if not one.ahead_is_all]
    ahead = sorted({*known.ahead, *came.ahead})
    known_ahead = ahead[: bisect_right(ahead, min(known_until))] if known_until else ahead
    return _with_ahead(sums, known_ahead, most_ahead)


def _with_ahead(sums: TableSums, ahead: Sequence[int], most: int) -> TableSums:
    """Return the sums with the first of these times."""
    is_all = sums.ahead_is_all and len(ahead) <= most
    return replace(sums, ahead=tuple(ahead[:most]), ahead_is_all=is_all)


def table_facts(table: CurrentTable, sums: TableSums, duplicates: pl.DataFrame) -> TableFacts:
    """Return the facts: the sums without the superseded rows, which ``with_duplicates`` has."""
    lost, kept = duplicates.filter(LOSES), duplicates.filter(~pl.col(LOSES))
    times = {name: getattr(sums, name) for name in _TIMES}
    gone = lost[NEWEST_BY].is_in([time for time in times.values() if time is not None])
    if not lost.filter(gone)[NEWEST_BY].is_in(kept[NEWEST_BY].implode()).all():
        counting = (
            summing(table, _times(table, lost[ROW_ID]), most_ahead=0).collect(engine="streaming").row(0, named=True)
        )
        times = {name: counting[name] for name in _TIMES}
    rows = sums.rows - len(lost)
    return TableFacts(
        **times,
        rows=rows,
        migrated_rows=sums.rows - int(duplicates[LOSES_WHEN_MERGED].sum()),
        quarantined_rows=table.stored_rows() - sums.rows if table.table_schema.unkeyed else 0,
    )


def _times(table: CurrentTable, superseded: pl.Series) -> pl.LazyFrame:
    """Return newest_by of the rows that have their ids, without these."""
    stored = stored_name(table.table.newest_by, ValueType.TIME)
    return table.kept(superseded).select(pl.col(stored).alias(NEWEST_BY))


def _ended(table: CurrentTable) -> datetime:
    return table.last_listed.dump.modified.replace(tzinfo=None)


def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _first(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)


def _last(*times: datetime | None) -> datetime | None:
    return max((time for time in times if time is not None), default=None)
