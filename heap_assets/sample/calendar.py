"""When the sample's dumps are taken, what each of them does differently, and when the shop is busy.

Here: the dumps and their times, the axis of busy time on which visits are placed. Not here: how many people and days
(size.py), who visits.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise

import polars as pl

from heap_assets.sample.draws import Draws
from heap_assets.sample.size import SampleSize

HOUR = 3_600_000
DAY = 24 * HOUR
SLICE = 1 << 20
"""Length of one slice of busy time, in the axis' own unit."""
NEWEST_EVENT = 70 * DAY
"""No client clock runs further ahead of the end than this."""

_CUT_HOUR = 2  # the shop sleeps then, so few visits lie across a cut
_MIDDAY = 14
_BUSY_HOURS = (6.0, 8.0, 9.5, 11.0, 12.25, 13.5, 15.0, 16.5, 18.0, 19.0, 19.75, 20.5, 21.25, 22.0, 23.0)
_SLICES_BY_WEEKDAY = (7, 6, 6, 7, 7, 9, 10)
_FIRST_DUMP_ID = 996  # the next ones pass 1000, where order as text goes wrong
_TWO_DUMPS_EVERY, _NO_DUMP_EVERY = 10, 7  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """One dump: what reached Heap from ``after`` (included) to ``until`` (epoch ms), and what is special about it."""

    index: int
    dump_id: int
    after: int
    until: int
    full_tables: frozenset[str] = frozenset()
    """Event tables that come with their whole history."""
    absent_tables: frozenset[str] = frozenset()
    grown: bool = False
    """New tables and properties are there."""
    drifted: bool = False
    """Some properties have another type than before."""
    redefined: bool = False
    """The newsletter event has its second definition."""
    archived: bool = False
    """An event and a property are no longer delivered."""

    @property
    def started(self) -> int:
        """When Heap began to write the dump (epoch ms)."""
        return self.until + HOUR // 2

    @property
    def finished(self) -> int:
        """When its manifest was there (epoch ms)."""
        return self.until + HOUR + 2 * HOUR // 3


@dataclass(frozen=True)
class Calendar:
    """The days, the dumps and the busy time of one sample."""

    size: SampleSize
    _draws: Draws = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_draws", Draws(self.size.seed))

    @cached_property
    def origin(self) -> int:
        """Midnight of the first day (epoch ms)."""
        first = self.size.end - timedelta(days=self.size.days - 1)
        return int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1000

    @cached_property
    def dumps(self) -> tuple[Dump, ...]:
        """All dumps in order."""
        cuts = [self.origin + hours * HOUR for hours in self._cut_hours]
        ids = [_FIRST_DUMP_ID]
        ids += [0] * (len(cuts) - 1)
        for index in range(1, len(cuts)):
            ids[index] = ids[index - 1] + 1 + self._draws.integer(f"dump gap {index}") % 3
        return tuple(self._dump(index, ids[index], cuts) for index in range(len(cuts)))

    def _dump(self, index: int, dump_id: int, cuts: list[int]) -> Dump:
        grows, drifts, resyncs, archives = (self._turn(tenths) for tenths in (4, 5, 6, 7))
        full = {"wishlist_add"} if index == grows else set()
        full |= {"newsletter_click"} if index == resyncs else set()
        absent = {"wishlist_add"} if index < grows else set()
        absent |= {"banner_click"} if index >= archives else set()
        absent |= set() if self._is_slow_turn(index) else {"support_ticket"}
        return Dump(
            index=index,
            dump_id=dump_id,
            after=cuts[index - 1] if index else 0,
            until=cuts[index],
            full_tables=frozenset(full),
            absent_tables=frozenset(absent),
            grown=index >= grows,
            drifted=index >= drifts,
            redefined=index >= resyncs,
            archived=index >= archives,
        )

    def _turn(self, tenths: int) -> int:
        """Return the dump in which something changes; past the last one if it never does."""
        count = len(self._cut_hours)
        # A last dump of a given share must not bring the history of a table.
        last = count - 1 if self.size.last_dump_share is None else count - 2
        turn = max(1, count * tenths // 10)
        return turn if turn <= last else count

    def _is_slow_turn(self, index: int) -> bool:
        return index % 3 == 0 or index == len(self._cut_hours) - 1

    @cached_property
    def _cut_hours(self) -> tuple[int, ...]:
        """Hours from the origin at which dumps are cut."""
        days, count, share = self.size.days, self.size.dumps, self.size.last_dump_share
        end = days * 24 + _CUT_HOUR
        first_days = max(1, round(days * 2 / 3))
        if share is not None:
            count = (count or max(2, days // 3)) - 1
            return (*_even_cuts(min(first_days, days - 1), days - 1, count), end)
        if count is not None:
            return _even_cuts(first_days, days, count)
        cuts = [first_days * 24 + _CUT_HOUR]
        for day in range(first_days + 1, days + 1):
            number = day - first_days
            if number % _TWO_DUMPS_EVERY == _TWO_DUMPS_EVERY // 2:
                cuts.append((day - 1) * 24 + _MIDDAY)
            if number % _NO_DUMP_EVERY != _NO_DUMP_EVERY // 2 or day == days:
                cuts.append(day * 24 + _CUT_HOUR)
        return tuple(cuts)

    @cached_property
    def _slices(self) -> tuple[pl.Series, pl.Series, int]:
        """Starts and lengths of the slices of busy time, and how many lie before the last day."""
        starts: list[int] = []
        lengths: list[int] = []
        before_last_day = 0
        for day in range(self.size.days):
            before_last_day = len(starts)
            midnight = self.origin + day * DAY
            weekday = (self.size.end - timedelta(days=self.size.days - 1 - day)).weekday()
            count = _SLICES_BY_WEEKDAY[weekday]
            edges = [midnight + _busy_time(part, count) for part in range(count + 1)]
            starts += edges[:-1]
            lengths += [end - start for start, end in pairwise(edges)]
        return pl.Series(starts, dtype=pl.Int64), pl.Series(lengths, dtype=pl.UInt64), before_last_day

    @property
    def usual_length(self) -> int:
        """Length of the axis on which everybody's visits lie."""
        starts, _, before_last_day = self._slices
        return (len(starts) if self.size.last_dump_share is None else before_last_day) * SLICE

    @property
    def last_day(self) -> tuple[int, int]:
        """Begin and length of the last day on the axis."""
        starts, _, before_last_day = self._slices
        return before_last_day * SLICE, (len(starts) - before_last_day) * SLICE

    def position_after(self, moment: int) -> int:
        """Return the first position on the axis that lies after a time (epoch ms), to a slice."""
        starts, _, _ = self._slices
        return int(starts.search_sorted(moment, side="left")) * SLICE

    def moment(self, position: pl.Expr) -> pl.Expr:
        """Return the time (epoch ms) of a position on the axis."""
        starts, lengths, _ = self._slices
        number = position // SLICE
        passed = (position % SLICE) * pl.lit(lengths).gather(number) // SLICE
        return pl.lit(starts).gather(number) + passed.cast(pl.Int64)

    def dump_index(self, received: pl.Expr) -> pl.Expr:
        """Return the index of the dump that first holds what was received then; too late is the number of dumps."""
        return pl.lit(self._index_by_hour).gather(self._hour(received))

    def slow_dump_index(self, received: pl.Expr) -> pl.Expr:
        """Return the same for a table that is not in every dump."""
        count = len(self.dumps)
        following = [
            next((later for later in range(index, count) if self._is_slow_turn(later)), count) for index in range(count)
        ]
        slow = pl.Series([*following, count], dtype=pl.UInt32)
        return pl.lit(slow).gather(self.dump_index(received))

    def _hour(self, received: pl.Expr) -> pl.Expr:
        return ((received - self.origin) // HOUR).clip(upper_bound=len(self._index_by_hour) - 1)

    @cached_property
    def _index_by_hour(self) -> pl.Series:
        cuts = self._cut_hours
        return pl.Series([bisect_right(cuts, hour) for hour in range(cuts[-1] + 1)], dtype=pl.UInt32)

    @cached_property
    def minute_texts(self) -> pl.Series:
        """``2026-06-01 10:11:`` for every minute from the origin on."""
        minutes = self.size.days * 24 * 60 + NEWEST_EVENT // 60_000
        moments = pl.int_range(minutes, eager=True) * 60_000 + self.origin
        return pl.from_epoch(moments, time_unit="ms").dt.strftime("%Y-%m-%d %H:%M:")


def dump_ids(size: SampleSize) -> tuple[int, ...]:
    """Return the ids of the dumps of a sample, in order, without writing anything.

    >>> dump_ids(SampleSize(users=10, days=9))
    (996, 998, 1000, 1003)
    """
    return tuple(dump.dump_id for dump in Calendar(size).dumps)


def _even_cuts(first_days: int, days: int, count: int) -> tuple[int, ...]:
    end = days * 24 + _CUT_HOUR
    if count == 1:
        return (end,)
    start = min(first_days, days - 1) * 24 + _CUT_HOUR if days > 1 else _CUT_HOUR
    if end - start < count - 1:
        raise ValueError(f"{count} dumps do not fit into {days} days: there is at most one an hour")
    return tuple(start + (end - start) * index // (count - 1) for index in range(count))


def _busy_time(part: int, parts: int) -> int:
    """Return the time of day (ms) at which ``part`` of ``parts`` equally busy slices begins."""
    place = part * (len(_BUSY_HOURS) - 1) / parts
    below = min(int(place), len(_BUSY_HOURS) - 2)
    hours = _BUSY_HOURS[below] + (place - below) * (_BUSY_HOURS[below + 1] - _BUSY_HOURS[below])
    return int(hours * HOUR)
