"""Chance that never changes: numbers drawn by arithmetic on unsigned 64-bit integers, whatever the libraries' versions.

Here: draws, picks from tables, ids. Not here: what is drawn.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from hashlib import blake2b

import polars as pl

_FIRST_FACTOR = 0x9E3779B97F4A7C15
_SECOND_FACTOR = 0xD6E8FEB86659FD93
_ID_BITS = 52
_ID_MASK = (1 << _ID_BITS) - 1
_ID_FACTORS = (0x5851F42D4C957F2D & _ID_MASK | 1, 0x4C957F2D14057B7D & _ID_MASK | 1)
_KINDS = 8


class Kind(IntEnum):
    """What an id is the id of; ids of two kinds never meet."""

    DEVICE = 0
    IDENTITY = 1
    SECOND_IDENTITY = 2
    SESSION = 3
    SESSION_EVENT = 4
    EVENT = 5
    SERVER_EVENT = 6
    SERVER_SESSION = 7


@dataclass(frozen=True, slots=True)
class Draws:
    """All chance of one seed."""

    seed: int

    def integer(self, purpose: str) -> int:
        """Return one 64-bit number for a purpose."""
        return int.from_bytes(blake2b(f"{self.seed}/{purpose}".encode(), digest_size=8).digest(), "big")

    def hexadecimal(self, purpose: str, digits: int) -> str:
        """Return that many hexadecimal digits for a purpose."""
        return blake2b(f"{self.seed}/{purpose}".encode(), digest_size=32).hexdigest()[:digits]

    def number(self, key: pl.Expr, purpose: str) -> pl.Expr:
        """Return 64 well-mixed bits for each key (unsigned 64-bit) and purpose.

        >>> pl.select(Draws(7).number(pl.lit(41, pl.UInt64), "doctest")).item()
        13652740016551448585
        """
        mixed = (key + _unsigned(self.integer(purpose))) * _unsigned(_FIRST_FACTOR)
        mixed = (mixed ^ (mixed // (1 << 32))) * _unsigned(_SECOND_FACTOR)
        return mixed ^ (mixed // (1 << 32))

    def identifier(self, kind: Kind, number: pl.Expr) -> pl.Expr:
        """Return the id of the ``number``-th thing (below 2^49) of a kind: below 2^52, and no two are equal."""
        # Multiplying by an odd number and folding the high bits down are both reversible, so nothing can collide.
        first, second = _ID_FACTORS
        mixed = (number * _KINDS + int(kind) + _unsigned(self.integer("ids") & _ID_MASK)) * _unsigned(first)
        mixed = mixed & _unsigned(_ID_MASK)
        mixed = (mixed ^ (mixed // (1 << 26))) * _unsigned(second) & _unsigned(_ID_MASK)
        return (mixed ^ (mixed // (1 << 26))).cast(pl.Int64)


def bits(number: pl.Expr, shift: int, below: int) -> pl.Expr:
    """Return a number from 0 up to ``below``, from the bits of a drawn number above ``shift``."""
    return (number // (1 << shift)) % below


def picked(table: pl.Series, number: pl.Expr) -> pl.Expr:
    """Return one value of the table for each drawn number."""
    return pl.lit(table).gather(number % len(table))


def at(table: pl.Series, index: pl.Expr) -> pl.Expr:
    """Return the values of the table at these places."""
    return pl.lit(table).gather(index)


def weighted(weights: Iterable[int]) -> pl.Series:
    """Return each place as often as its weight says.

    >>> weighted([2, 0, 1]).to_list()
    [0, 0, 2]
    """
    return pl.Series([place for place, weight in enumerate(weights) for _ in range(weight)], dtype=pl.UInt32)


@cache
def _unsigned(number: int) -> pl.Expr:
    return pl.lit(number, dtype=pl.UInt64)
