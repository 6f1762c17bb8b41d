"""The engine: what runs tasks, and rows of users bucket by bucket. A protocol, of which a machine is one engine.

Everything that is computed of one user's rows may be computed of any bucket of users, wherever that runs. Here: the
protocol and how keys fall into buckets. Not here: what is computed (models/), this machine's engine (local.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import polars as pl

T = TypeVar("T")
Built_co = TypeVar("Built_co", covariant=True)

_MIXING = 0x9E3779B97F4A7C15
_HIGH_BITS = 2**33


def bucket_of(key: pl.Expr, buckets: int) -> pl.Expr:
    """Return the bucket (Int64, from 0) of each key (Int64): the same in every process and release.

    Polars promises that for its own hash of a value in one release alone.

    >>> pl.select(bucket_of(pl.lit(pl.Series([1, 2, 3, -1])), 4)).to_series().to_list()
    [0, 1, 2, 3]
    """
    mixed = key.reinterpret(signed=False) * pl.lit(_MIXING, dtype=pl.UInt64)  # the product wraps around
    return (mixed // pl.lit(_HIGH_BITS, dtype=pl.UInt64) % buckets).cast(pl.Int64)


class Reading(Protocol):
    """Rows of one table: a query, and whose each row is (Int64)."""

    @property
    def table(self) -> str:
        """Return the name under which the work gets the rows; no two readings have the same."""
        ...

    @property
    def key(self) -> pl.Expr:
        """Return whose a row is."""
        ...

    @property
    def rows(self) -> pl.LazyFrame:
        """Return the rows."""
        ...


class BucketWork(Protocol[Built_co]):
    """What is done with all rows of the keys of one bucket; an engine may run it more than once."""

    def __call__(self, bucket: int, frames: Mapping[str, pl.LazyFrame]) -> Built_co:
        """Return what was built of a bucket, from its rows by the name of their reading."""
        ...


class Engine(Protocol):
    """Where tasks run."""

    def each(self, tasks: Sequence[Callable[[], T]]) -> Iterator[T]:
        """Run tasks, each at least once; yield what they return in their order."""
        ...

    def by_key(self, readings: Sequence[Reading], buckets: int, work: BucketWork[T]) -> list[T]:
        """Run the work for every bucket, each of which counts exactly once; return what was built in their order."""
        ...
