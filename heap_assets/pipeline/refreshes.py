"""The refreshes of an analysis as a published file shows them: a number for each, and whose rows it made.

A view over a model's layers leaves out of each layer the users of the refreshes after it. Not here: the SQL
(warehouse/views.py), making layers (model_layers.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.pipeline.analysis import Analysis
from heap_assets.pipeline.model_layers import MadeModel


@dataclass(frozen=True, slots=True)
class Refreshes:
    """The number of each refresh, by the file that names its users."""

    numbers: Mapping[str, int]

    @classmethod
    def of(cls, analysis: Analysis) -> "Refreshes":
        """Number the refreshes that any model has a layer of."""
        layers = [layer for analyzed in analysis.models.values() for layer in analyzed.made.layers]
        files = sorted({layer.users for layer in layers if layer.users is not None})
        return cls({file: number for number, file in enumerate(files)})

    def users(self, storage: Storage) -> pl.DataFrame:
        """Return refresh (Int32) and user_id (Int64): whose rows each refresh made."""
        return pl.concat(
            pl.scan_parquet(storage.local_copy(file), glob=False).select(
                pl.lit(number, dtype=pl.Int32).alias("refresh"), "user_id"
            )
            for file, number in self.numbers.items()
        ).collect()

    def layers(self, storage: Storage, made: MadeModel) -> list[tuple[list[str], list[int]]]:
        """Return the files of each layer, oldest first, and the refreshes after it."""
        return [
            (
                [str(storage.local_copy(file)) for file in layer.files],
                [self.numbers[later.users] for later in made.layers[number + 1 :] if later.users is not None],
            )
            for number, layer in enumerate(made.layers)
        ]
