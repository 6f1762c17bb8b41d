"""What a rule says: a verdict, one sentence, numbers, and the keys of up to ten rows that break it.

Here: the result of every rule. Not here: rules (the other modules), how Dagster shows an outcome (defs/).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl

MOST_KEYS = 10


class Verdict(StrEnum):
    """How serious an outcome is."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule found.

    Attributes:
        told: One sentence for the person who has to act.
        numbers: What was counted; Dagster plots each over time.
        keys: Up to ten rows that break the rule, by their ids and nothing else of a person.
    """

    verdict: Verdict
    message: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Return whether there is nothing to do."""
        return self.verdict is Verdict.PASSED


def by_share(share: float, *, warn: float, fail: float | None = None) -> Verdict:
    """Return the verdict on a share of rows that break a rule: more than a limit is needed to be worth a word.

    >>> by_share(0.01, warn=0.01), by_share(0.02, warn=0.01).value, by_share(0.5, warn=0.01, fail=0.1).value
    (<Verdict.PASSED: 'passed'>, 'warning', 'failed')
    """
    if fail is not None and share > fail:
        return Verdict.FAILED
    return Verdict.WARNING if share > warn else Verdict.PASSED


def shown_keys(keys: pl.DataFrame) -> tuple[str, ...]:
    """Return each row of a small frame of ids as text.

    >>> shown_keys(pl.DataFrame({"event_id": [7], "user_id": [None]}))
    ('event_id=7, user_id=null',)
    """
    return tuple(
        ", ".join(f"{name}={'null' if value is None else value}" for name, value in row.items())
        for row in keys.iter_rows(named=True)
    )
