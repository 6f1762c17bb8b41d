"""This machine as an engine: tasks in threads, since Polars leaves Python's lock alone; buckets one after the other.

Nothing is packed or pickled: a bucket is a query over the same files. Not here: the protocol (engine.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from heap_assets.engines.engine import BucketWork, Reading, bucket_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEngine:
    """This machine, with so many tasks at once: small ones cost waiting, not computing."""

    at_once: int = 2

    def each(self, tasks: Sequence[Callable[[], T]]) -> Iterator[T]:
        """Run tasks side by side; yield what they return in their order."""
        with ThreadPoolExecutor(self.at_once) as pool:
            yield from pool.map(lambda task: task(), tasks)

    def by_key(self, readings: Sequence[Reading], buckets: int, work: BucketWork[T]) -> list[T]:
        """Run the work for one bucket after the other, so that the memory of one is all that it takes."""
        return [work(number, _bucket(readings, number, buckets)) for number in range(buckets)]


def _bucket(readings: Sequence[Reading], number: int, buckets: int) -> Mapping[str, pl.LazyFrame]:
    if buckets == 1:
        return {reading.table: reading.rows for reading in readings}
    return {reading.table: reading.rows.filter(bucket_of(reading.key, buckets) == number) for reading in readings}
