"""Refreshes as a published file shows them: a number for each, and whose rows it built.

A view over rows in layers leaves out of each layer the users of the refreshes after it. Not here: the SQL (views.py),
making layers (lake/layers.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from heap_assets.targets.relation import Layers


@dataclass(frozen=True, slots=True)
class Refreshes:
    """The number of each refresh, by the file that names its users."""

    numbers: Mapping[str, int]

    @classmethod
    def numbered(cls, layered: Iterable[Layers]) -> "Refreshes":
        """Number the refreshes that any of these rows have a layer of."""
        files = sorted({layer.users for rows in layered for layer in rows.layers if layer.users is not None})
        return cls({file: number for number, file in enumerate(files)})

    def users(self) -> pl.DataFrame:
        """Return refresh (Int32) and user_id (Int64): whose rows each refresh built."""
        return pl.concat(
            pl.scan_parquet(file, glob=False).select(pl.lit(number, dtype=pl.Int32).alias("refresh"), "user_id")
            for file, number in self.numbers.items()
        ).collect()

    def after(self, rows: Layers) -> list[list[int]]:
        """Return for each layer, oldest first, the refreshes after it."""
        return [
            [self.numbers[later.users] for later in rows.layers[number + 1 :] if later.users is not None]
            for number, _ in enumerate(rows.layers)
        ]
