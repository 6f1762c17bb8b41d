"""The proof that the fast reader read what the bytes of the blocks say.

Here: the values' own lengths, added up, lead to every tag, every flag and the end of every block. A writer writes each
number in as few bytes as can be; where one did not, the proof fails and the tolerant reader takes the file.
Not here: reading (fast.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from heap_assets.sources.heap.avro.blocks import Block
from heap_assets.sources.heap.avro.values import MOST_VALUE_BYTES

_ROWS_AT_A_TIME = 2_048  # their bytes and positions stay in the processor's cache
_Numbers = np.ndarray[Any, np.dtype[Any]]


class NotFastError(Exception):
    """The fast reader cannot say what is in these files; the tolerant one can, or can say what is wrong."""


@dataclass(frozen=True, slots=True)
class Column:
    """A field that has bytes: its name in frames, its primitive type, and the tag of a value, None without a union."""

    name: str
    avro_type: str
    value_tag: int | None = None

    @property
    def declared(self) -> Any:
        """Return the field as the fast reader is told of it."""
        union = ["null", self.avro_type] if self.value_tag else [self.avro_type, "null"]
        return {"name": self.name, "type": self.avro_type if self.value_tag is None else union}

    @property
    def fewest_bytes(self) -> int:
        """Return how many bytes a value takes at least: that many zeros are one."""
        return {"float": 4, "double": 8}.get(self.avro_type, 1)

    @property
    def bytes_taken(self) -> pl.Expr:
        """Return how many bytes each value takes, its tag included."""
        value, size = pl.col(self.name), pl.lit(self.fewest_bytes, pl.UInt32)
        if self.avro_type in {"int", "long"}:
            magnitude = pl.when(value < 0).then(-1 - value).otherwise(value).cast(pl.Int64)
            size = (71 - magnitude.bitwise_leading_zeros().cast(pl.UInt8)) // 7
        if self.avro_type == "string":
            length = value.str.len_bytes()
            size = length + pl.sum_horizontal(1, *((length >= 2**bits).cast(pl.UInt32) for bits in (6, 13, 20, 27)))
        return (pl.when(value.is_null()).then(0).otherwise(size).cast(pl.UInt32) + (self.value_tag is not None)).alias(
            self.name
        )


class Proof:
    """Proves of frames, one after the other, that their values are written where the blocks have them."""

    def __init__(self, content: bytes, begin: int, blocks: Sequence[Block], layout: Sequence[Column]) -> None:
        self._content = np.frombuffer(content, np.uint8)
        self._at = begin
        self._row = 0
        self._ends = np.cumsum([block.rows for block in blocks])
        self._ends_at = begin + np.cumsum([block.size for block in blocks])
        self._layout = layout
        self._tagged = np.array([column.value_tag is not None for column in layout])
        self._tags = np.array([column.value_tag or 0 for column in layout], np.uint8)
        self._flags = np.array([column.avro_type == "boolean" for column in layout])
        if any(block.size and not block.rows for block in blocks):
            raise NotFastError("bytes without rows")

    def check(self, frame: pl.DataFrame) -> None:
        """Raise NotFastError unless every tag and flag is one that Avro has, and blocks end where their rows do."""
        sizes = [series.to_numpy() for series in frame.select(column.bytes_taken for column in self._layout)]
        there = [series.to_numpy() for series in frame.select(pl.all().is_not_null())]
        flags = [series.fill_null(value=False).to_numpy() for series in frame.select(pl.col(pl.Boolean))]
        if max(int(size.max()) for size in sizes) > MOST_VALUE_BYTES:
            raise NotFastError("a value is too large")
        for begin in range(0, frame.height, _ROWS_AT_A_TIME):
            part = slice(begin, begin + _ROWS_AT_A_TIME)
            self._check_rows(*(_matrix(columns, part) for columns in (sizes, there, flags)))

    def _check_rows(self, sizes: _Numbers, there: _Numbers, flags: _Numbers) -> None:
        """Check the next rows: arrays of a row for each of theirs, and a column for each field or each flag."""
        ends = self._at + np.cumsum(sizes, dtype=np.int64).reshape(sizes.shape)
        begins = ends - sizes
        due = np.where(there, self._tags, 2 - self._tags)
        if ((self._content[begins] != due) & self._tagged).any():
            raise NotFastError("a tag is neither of two")
        if self._flags.any():
            found = self._content[(begins + self._tagged)[:, self._flags]]
            if ((found != flags) & there[:, self._flags]).any():
                raise NotFastError("a flag is neither 0 nor 1")
        within = (self._ends > self._row) & (self._ends <= self._row + len(sizes))
        if (ends[self._ends[within] - 1 - self._row, -1] != self._ends_at[within]).any():
            raise NotFastError("a block does not end where its rows do")
        self._at = int(ends[-1, -1])
        self._row += len(sizes)


def _matrix(columns: Sequence[_Numbers], rows: slice) -> _Numbers:
    return np.stack([column[rows] for column in columns], axis=1) if columns else np.empty((0, 0))
