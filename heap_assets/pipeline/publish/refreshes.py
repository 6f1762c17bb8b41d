"""Refreshes as a published file shows them: a number for each, and whose rows it made.

A view over rows in layers leaves out of each layer the users of the refreshes after it. Not here: the SQL
(targets/duckdb/views.py), making layers (lake/layers.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from heap_assets.lake.layers import Layered
from heap_assets.lake.storage import Storage


@dataclass(frozen=True, slots=True)
class Refreshes:
    """The number of each refresh, by the file that names its users."""

    numbers: Mapping[str, int]

    @classmethod
    def of(cls, layered: Iterable[Layered]) -> "Refreshes":
        """Number the refreshes that any of these rows have a layer of."""
        files = sorted({layer.users for made in layered for layer in made.layers if layer.users is not None})
        return cls({file: number for number, file in enumerate(files)})

    def users(self, storage: Storage) -> pl.DataFrame:
        """Return refresh (Int32) and user_id (Int64): whose rows each refresh made."""
        return pl.concat(
            pl.scan_parquet(storage.local_copy(file), glob=False).select(
                pl.lit(number, dtype=pl.Int32).alias("refresh"), "user_id"
            )
            for file, number in self.numbers.items()
        ).collect()

    def layers(self, storage: Storage, made: Layered) -> list[tuple[list[str], list[int]]]:
        """Return the files of each layer, oldest first, and the refreshes after it."""
        return [
            (
                [str(storage.local_copy(file)) for file in layer.files],
                [self.numbers[later.users] for later in made.layers[number + 1 :] if later.users is not None],
            )
            for number, layer in enumerate(made.layers)
        ]
