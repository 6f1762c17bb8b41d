"""Which changes deserve a message: from what was told last and what is true now.

Pure: state in, state and messages out; the clock is an argument. What is told is kept with each thing that is watched,
so a crash tells again rather than never, and nothing is told twice because it is still so. Here: the decision.
Not here: words (message.py), sending (delivery.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["passed", "warning", "failed"]
QUIET_S = 600.0
"""The same about the same thing is told at most once in so many seconds: what flaps is told, but is not a storm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One thing as it is now: a check of an asset, an asset's freshness.

    Attributes:
        name: What is watched, the same at every look.
        told: One sentence of what is the matter.
        keys: Rows that it is about.
        path: Where to look, below the UI's address.
    """

    name: str
    level: Level
    told: str = ""
    keys: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told last of a thing, and when each level was (epoch seconds)."""

    level: Level = "passed"
    at: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change that deserves a message."""

    before: Level
    now: Watched

    @property
    def is_recovery(self) -> bool:
        """Return whether all is well again."""
        return self.now.level == "passed"


def changes(
    told: Mapping[str, Told], watched: Sequence[Watched], *, now: float
) -> tuple[tuple[Change, ...], dict[str, Told]]:
    """Return what to tell, and what will have been told then.

    What is not told because it would be too soon is compared again at the next look, with what was told last. A thing
    that is not among ``watched`` stays as it was told: it may be at work.
    """
    after = dict(told)
    found = []
    for thing in watched:
        last = told.get(thing.name, Told())
        if thing.level == last.level or now - last.at.get(thing.level, -QUIET_S) < QUIET_S:
            continue
        found.append(Change(before=last.level, now=thing))
        after[thing.name] = Told(level=thing.level, at={**last.at, thing.level: now})
    return tuple(found), after
