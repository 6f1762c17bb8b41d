"""What is declared of a table that is computed: name, key, columns and meaning.

Not here: which ones there are (own_tables.py, models/), Heap's tables (heap_tables.py).
"""

from dataclasses import dataclass

import polars as pl

from heap_assets.schema.documented_columns import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A table of our own.

    Attributes:
        small: It is published as a table; a large one as a view over its Parquet files.
        user_local: It follows from one user's rows, so that it can be computed for some users alone.
        user: Its column that says whose row it is, if it is user-local.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...] = ()
    small: bool = False
    user_local: bool = True
    user: str = "heap_user_id"

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Return the columns with the types that Polars computes with."""
        return {column.name: column.type.polars for column in self.columns}
