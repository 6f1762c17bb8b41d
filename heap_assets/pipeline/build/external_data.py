"""Other data: a table of the user's own, its rows told whom they are about, kept in the lake to be published.

Here: the step, which every run with HEAP_OTHER_TABLE takes: nobody tells when such a table changes. Not here: reading
it (sources/external/reading.py), the join (transforms/people.py).
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import TypeAdapter

from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.models.heap_users import HEAP_USERS
from heap_assets.pipeline.build.analysis import Analysis
from heap_assets.sources.external.reading import copy_external_table
from heap_assets.sources.external.table import ExternalTable
from heap_assets.transforms.people import names_beside_ours, with_heap_user_id
from heap_assets.transforms.typed_texts import typed_texts

SCHEMA = "other"
ABOUT = "A table of your own (HEAP_OTHER_TABLE); heap_user_id says which person of heap_users a row is about."


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedTable:
    """The table as it was joined: its file in the lake, its rows, and how many of them are about a known person.

    ``warnings`` say which columns have another name there than where they come from.
    """

    name: str
    path: str
    rows: int
    matched: int
    warnings: tuple[str, ...] = ()


_PART: Part[JoinedTable | None] = Part("external", TypeAdapter(JoinedTable | None), without=None)


def join_external(storage: Storage, analysis: Analysis, other: ExternalTable) -> JoinedTable:
    """Read the table, find out whom its rows are about, and keep it."""
    with tempfile.TemporaryDirectory(prefix="heap-assets-") as scratch:
        copy = Path(scratch) / "other.parquet"
        copy_external_table(other, copy)
        rows = pl.read_parquet(copy, glob=False)
    if other.kind == "csv":
        rows = typed_texts(rows, but=[other.column])
    users = analysis.models[HEAP_USERS.name].rows(storage).collect()
    joined = with_heap_user_id(rows, users, column=other.column, key=other.key)
    kept = write_file(storage, "other", joined, about=other.name)
    warnings = tuple(
        f"The table {other.name} of HEAP_OTHER_TABLE has a column {name} of its own; it is published as {published}."
        for name, published in names_beside_ours(rows.columns).items()
        if name != published
    )
    found = JoinedTable(
        name=other.name,
        path=kept.path,
        rows=kept.rows,
        matched=joined["heap_user_id"].count(),
        warnings=warnings,
    )
    _PART.write(storage, found)
    return found


def joined_files(storage: Storage) -> frozenset[str]:
    """Return the file that was joined last."""
    found = _PART.read(storage)
    return frozenset() if found is None else frozenset({found.path})
