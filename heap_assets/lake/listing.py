"""The files of a Delta table, remembered beside its log: opening a table takes 12 ms, and there may be a hundred.

A listing says of which version of the table it is; of any other version it says nothing, so it may be old, lost or
torn without harm. Here: the files of a log, and the listing of them. Not here: what is in the table (landed_table.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl
from deltalake import DeltaTable
from pydantic import TypeAdapter, ValidationError

from heap_assets.lake.delta_log import latest_version
from heap_assets.lake.storage import Storage
from heap_assets.schema.stored_columns import ROW_ID

DELIVERY = "$delivery"
"""The column that parts a table: which delivery a file is of."""
_NULLS = "null_count."
_NAME = "_files.json"  # by its first letter not the table's, so that vacuum leaves it


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedFile:
    """One Parquet file of a delivery: where it lies, and for each stored column how many of its rows are null."""

    path: str
    delivery: str
    rows: int
    size: int
    first_row_id: int
    nulls: Mapping[str, int]

    def has_values(self, stored: str) -> bool:
        """Return whether any row has a value in this stored column."""
        return self.nulls.get(stored, self.rows) < self.rows


@dataclass(frozen=True, slots=True)
class _Listing:
    """Files as rows of path, delivery, rows, size, first row id, and the nulls of each column (None: it has none)."""

    version: int
    columns: tuple[str, ...]
    files: tuple[tuple[str, str, int, int, int, tuple[int | None, ...]], ...]


_LISTING = TypeAdapter(_Listing)


def committed_files(delta: DeltaTable, folder: str) -> tuple[LandedFile, ...]:
    """Return the files that the log of the table in a folder has."""
    adds = pl.DataFrame(delta.get_add_actions(flatten=True))
    counted = [column for column in adds.columns if column.startswith(_NULLS)]
    return tuple(
        LandedFile(
            path=f"{folder}/{row['path']}",
            delivery=row[f"partition.{DELIVERY}"],
            rows=row["num_records"],
            size=row["size_bytes"],
            first_row_id=row[f"min.{ROW_ID}"],
            nulls={column.removeprefix(_NULLS): row[column] for column in counted if row[column] is not None},
        )
        for row in adds.iter_rows(named=True)
    )


def remembered_files(storage: Storage, folder: str) -> tuple[int, tuple[LandedFile, ...]] | None:
    """Return version and files of the table in a folder; None if they are not remembered as the log has them now."""
    listing = _read(storage, folder)
    if listing is None or listing.version != latest_version(storage, folder):
        return None
    return listing.version, _files(listing)


def files_of_lost_version(storage: Storage, folder: str) -> tuple[LandedFile, ...]:
    """Return the files that the table had in a version that its log has lost since; none if it has lost none."""
    listing = _read(storage, folder)
    latest = latest_version(storage, folder)
    lost = listing is not None and (latest is None or listing.version > latest)
    return _files(listing) if listing is not None and lost else ()


def _read(storage: Storage, folder: str) -> _Listing | None:
    content = storage.read(f"{folder}/{_NAME}")
    try:
        return None if content is None else _LISTING.validate_json(content)
    except ValidationError:
        return None


def _files(listing: _Listing) -> tuple[LandedFile, ...]:
    return tuple(
        LandedFile(
            path=path,
            delivery=delivery,
            rows=rows,
            size=size,
            first_row_id=first,
            nulls={name: count for name, count in zip(listing.columns, nulls, strict=True) if count is not None},
        )
        for path, delivery, rows, size, first, nulls in listing.files
    )


def remember_files(storage: Storage, folder: str, files: Iterable[LandedFile], *, version: int) -> None:
    """Remember the files that the table has in this version."""
    files = tuple(files)
    columns = tuple(dict.fromkeys(column for file in files for column in file.nulls))
    rows = tuple(
        (
            file.path,
            file.delivery,
            file.rows,
            file.size,
            file.first_row_id,
            tuple(file.nulls.get(column) for column in columns),
        )
        for file in files
    )
    storage.remember(f"{folder}/{_NAME}", _LISTING.dump_json(_Listing(version, columns, rows)))


def forget_files(storage: Storage, folder: str) -> None:
    """Have nothing remembered, even after a power cut: a log that lost its end counts its versions again."""
    if storage.read(f"{folder}/{_NAME}"):
        storage.write(f"{folder}/{_NAME}", b"")
