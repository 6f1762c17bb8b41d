"""Rows that the lake keeps besides what was delivered: Parquet files under names of their own, never changed.

What names such a file is a part of the state (state.py); one that nothing names any more goes in time (maintenance.py).
Here: writing one. Not here: the deliveries themselves (landed_table.py).
"""

import uuid
from dataclasses import dataclass

import polars as pl

from heap_assets.lake.storage import COMPRESSION, Storage

_ABOUT = "heap_assets.table"


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of the lake, how many rows it has, and its bytes."""

    path: str
    rows: int
    size: int


def write_file(storage: Storage, folder: str, rows: pl.DataFrame | pl.LazyFrame, *, about: str) -> WrittenFile:
    """Write rows as a new file of a folder of the lake, lazy ones in batches; ``about`` stands in it for who looks."""
    path = f"{folder}/{uuid.uuid4().hex}.parquet"
    file = storage.new_file(path)
    metadata = {_ABOUT: about}
    if isinstance(rows, pl.DataFrame):
        rows.write_parquet(file, compression=COMPRESSION, metadata=metadata)
        height = rows.height
    else:
        rows.sink_parquet(file, compression=COMPRESSION, metadata=metadata)
        height = int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
    size = file.stat().st_size
    storage.keep(file, path)
    return WrittenFile(path, height, size)
