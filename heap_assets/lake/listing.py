"""The files of a Delta table, remembered beside its log: opening a table takes 12 ms, and there may be a hundred.

A listing says of which version of the table it is; of any other version it says nothing, so it may be old, lost or
torn without harm. Here: reading and writing it. Not here: what is in the table (landed_table.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from heap_assets.lake.storage import Storage

_NAME = "_files.json"  # by its first letter not the table's, so that vacuum leaves it
_LOG, _COMMIT = "_delta_log", ".json"


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


def remembered_files(storage: Storage, folder: str) -> tuple[int, tuple[LandedFile, ...]] | None:
    """Return version and files of the table in a folder; None if they are not remembered as the log has them now."""
    content = storage.read(f"{folder}/{_NAME}")
    if content is None:
        return None
    try:
        listing = _LISTING.validate_json(content)
    except ValidationError:
        return None
    if listing.version != _latest_version(storage, folder):
        return None
    return listing.version, tuple(
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


def _latest_version(storage: Storage, folder: str) -> int | None:
    commits = (name.removesuffix(_COMMIT) for name in storage.names(f"{folder}/{_LOG}") if name.endswith(_COMMIT))
    return max((int(commit) for commit in commits if commit.isdigit()), default=None)
