"""Many small choices out of one draw: bytes that are read one by one, so that a whole file costs one draw.

Byte 0, and everything after the last byte, is the plainest choice: that is where shrinking ends.
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

Choice = TypeVar("Choice")


class Dice:
    """Choices that follow from bytes."""

    def __init__(self, data: bytes):
        self._bytes = iter(data)

    def pick(self, pool: Sequence[Choice]) -> Choice:
        """Return a member of the pool, the first being the plainest."""
        return pool[next(self._bytes, 0) % len(pool)]

    def once_in(self, times: int) -> bool:
        """Return True once in so many times."""
        return next(self._bytes, 0) % times == times - 1


_SOME = st.binary(min_size=64, max_size=64)
_MANY = st.binary(min_size=160, max_size=160)


def some_dice(draw: st.DrawFn) -> Dice:
    """Draw dice good for a file or a list of files."""
    return Dice(draw(_SOME))


def many_dice(draw: st.DrawFn) -> Dice:
    """Draw dice good for nested choices."""
    return Dice(draw(_MANY))
