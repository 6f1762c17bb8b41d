"""How large a sample export is, and what sizes there can be. Not here: what follows from it (calendar.py)."""

from dataclasses import dataclass
from datetime import date

_LARGEST_SHARE, _FEWEST_DAYS = 0.5, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """How large a sample is.

    ``users`` are people; each is one Heap user or several (devices, identities). The days end with ``end``. Without
    ``dumps`` there is about one a day after a first one with two thirds of the days. With ``last_dump_share`` the last
    dump covers one day in which only that share of the people comes back, and brings about that share of all events.
    """

    users: int
    days: int
    seed: int = 7
    end: date = date(2026, 6, 30)
    dumps: int | None = None
    last_dump_share: float | None = None

    def __post_init__(self) -> None:
        if self.users < 1 or self.days < 1 or (self.dumps is not None and self.dumps < 1):
            raise ValueError(f"users, days and dumps must be at least 1: {self}")
        if self.last_dump_share is None:
            return
        if not 0 < self.last_dump_share <= _LARGEST_SHARE or self.days < _FEWEST_DAYS or self.dumps == 1:
            raise ValueError(f"last_dump_share is above 0 and at most 0.5, and needs 3 days and 2 dumps: {self}")
