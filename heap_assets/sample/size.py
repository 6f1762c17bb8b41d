"""How large a sample export is, and what sizes there can be. Not here: what follows from it (calendar.py)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

_LARGEST_SHARE, _FEWEST_DAYS = 0.5, 3
MOST_LAST_VISITS = 12
"""Of a person in a last dump of a given share, on average; more do not fit into one day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """How large a sample is.

    ``users`` are people; each is one Heap user or several (devices, identities). The days end with ``end``. Without
    ``dumps`` there is about one a day after a first one with two thirds of the days. With ``last_dump_share`` the last
    dump covers one day in which only that share of the people comes back, and brings about that share of all events:
    each comes ``last_dump_visits`` times on average, by default about as often as before in all. Of those who would
    merge on that day only the share ``last_dump_merging`` comes.
    """

    users: int
    days: int
    seed: int = 7
    end: date = date(2026, 6, 30)
    dumps: int | None = None
    last_dump_share: float | None = None
    last_dump_visits: int | None = None
    last_dump_merging: float = 1.0

    def __post_init__(self) -> None:
        if self.users < 1 or self.days < 1 or (self.dumps is not None and self.dumps < 1):
            raise ValueError(f"users, days and dumps must be at least 1: {self}")
        visits = self.last_dump_visits
        if not 0 <= self.last_dump_merging <= 1 or (visits is not None and not 1 <= visits <= MOST_LAST_VISITS):
            raise ValueError(f"last_dump_merging is from 0 to 1, last_dump_visits from 1 to {MOST_LAST_VISITS}: {self}")
        if self.last_dump_share is None:
            return
        if not 0 < self.last_dump_share <= _LARGEST_SHARE or self.days < _FEWEST_DAYS or self.dumps == 1:
            raise ValueError(f"last_dump_share is above 0 and at most 0.5, and needs 3 days and 2 dumps: {self}")


def embedded_size(now: datetime) -> SampleSize:
    """Return the size of the sample that is made where no export is configured: its last dump has just arrived.

    An older one would be stale, and every freshness check red, before anybody has done anything. Dumps are there some
    hours after midnight (UTC).

    >>> [str(embedded_size(datetime(2026, 7, 1, hour)).end) for hour in (3, 4, 23)]
    ['2026-06-29', '2026-06-30', '2026-06-30']
    """
    return SampleSize(users=2_000, days=60, end=(now - timedelta(hours=4)).date() - timedelta(days=1))
