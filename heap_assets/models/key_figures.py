"""The key figures of a small model: the few numbers and bars by which a person judges it.

Here: the values. Not here: those of a model (its file), drawing (defs/assets/analytics.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

MOST_BARS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled share between 0 and 1, and the text beside it."""

    label: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """Named numbers, and bars below a heading."""

    numbers: Mapping[str, float | int] = field(default_factory=dict)
    heading: str = ""
    bars: tuple[Bar, ...] = ()


def no_key_figures(_rows: pl.DataFrame) -> KeyFigures:
    """Return the key figures of a model that has none."""
    return KeyFigures()
