"""A figure: what was measured as JSON, and the same as a table of text with its targets.

Here: its form. Not here: how it is measured.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

MIB = 2**20
_DISTURBING_CORES = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A value and the limit that it should keep."""

    what: str
    value: float
    limit: float
    at_least: bool
    unit: str = ""

    @property
    def met(self) -> bool:
        """Return whether the value keeps the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def told(self) -> str:
        """Return the target as a line."""
        sign = ">=" if self.at_least else "<="
        kept = "met   " if self.met else "MISSED"
        return f"{kept}  {self.what}: {self.value:.3g}{self.unit} (target {sign} {self.limit:g}{self.unit})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing that was measured; ``data`` is what the JSON file gets besides the targets."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    targets: Sequence[Target] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return data and targets."""
        targets = [
            {"what": target.what, "value": target.value, "limit": target.limit, "met": target.met}
            for target in self.targets
        ]
        return {"title": self.title, **self.data, "targets": targets}

    def print(self, console: Console) -> None:
        """Print table, notes and targets."""
        table = Table(title=self.title, title_justify="left")
        for place, column in enumerate(self.columns):
            table.add_column(column, justify="right" if place else "left", no_wrap=place > 0)
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for line in (*self.notes, *(target.told() for target in self.targets)):
            console.print(line, markup=False, highlight=False)
        console.print()


def disturbance(others_cores: Sequence[float]) -> list[str]:
    """Return a note if other programs were busy during the runs."""
    most = max(others_cores)
    if most < _DISTURBING_CORES:
        return []
    return [f"NOT QUIET: other programs used {min(others_cores):.1f} to {most:.1f} of the cores during the runs."]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Median, least and greatest of repeated values."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of some values."""
        return cls(median=statistics.median(values), least=min(values), greatest=max(values))

    def told(self, form: str) -> str:
        """Return median (least-greatest), each in this format."""
        return f"{self.median:{form}} ({self.least:{form}}-{self.greatest:{form}})"

    def as_json(self) -> dict[str, float]:
        """Return the three values."""
        return {"median": self.median, "min": self.least, "max": self.greatest}
