"""The published DuckDB file: built beside the old one, then swapped in.

Readers that have the old file open keep it; nobody waits for anybody. Here: schemas, views, tables, comments, the swap.
Not here: what is in them (views.py, pipeline/publication.py).
"""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from heap_assets.warehouse.sql import file_list, identifier, literal

_COLUMNS = (
    "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    " ORDER BY schema_name, table_name, column_index"
)


class PublishedFile:
    """A DuckDB file that is being built."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._connection, self._scratch = connection, scratch

    def add_schema(self, schema: str) -> None:
        """Create a schema; DuckDB 2.0 keeps no comments of schemas."""
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")

    def add_table(self, schema: str, name: str, content: pl.DataFrame | str) -> None:
        """Create a table from a frame, or from a SELECT."""
        query = content
        if isinstance(content, pl.DataFrame):
            file = self._scratch / f"{uuid.uuid4().hex}.parquet"
            content.write_parquet(file)
            query = f"SELECT * FROM read_parquet({file_list([str(file)])})"
        self._connection.execute(f"CREATE TABLE {identifier(schema, name)} AS {query}")

    def add_view(self, schema: str, name: str, query: str) -> None:
        """Create a view of a SELECT."""
        self._connection.execute(f"CREATE VIEW {identifier(schema, name)} AS {query}")

    def comment(self, schema: str, name: str, *, about: str, columns: Mapping[str, str], is_view: bool) -> None:
        """Say what a table or view and its columns mean."""
        kind = "VIEW" if is_view else "TABLE"
        comments = [f"COMMENT ON {kind} {identifier(schema, name)} IS {literal(about)}"]
        comments += [
            f"COMMENT ON COLUMN {identifier(schema, name, column)} IS {literal(meaning)}"
            for column, meaning in columns.items()
        ]
        self._connection.execute("; ".join(comments))

    def columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return of each schema and table or view the columns with their DuckDB types; DESCRIBE takes 4 ms for one."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for schema, name, column, data_type in self._connection.execute(_COLUMNS).fetchall():
            found.setdefault((schema, name), {})[column] = data_type
        return found


@contextmanager
def new_file(path: Path) -> Iterator[PublishedFile]:
    """Build a file beside ``path`` and put it there when the block ends well; else the old file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(path)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with tempfile.TemporaryDirectory(prefix="heap-assets-") as scratch:
            # DuckDB takes a question mark in a path for the begin of a query, and would put its log in another folder
            building = Path(scratch) / beside.name if "?" in str(beside) else beside
            connection = duckdb.connect(building)
            try:
                connection.begin()  # one transaction: 40 views with their comments take 0.3 s, else 1.2
                yield PublishedFile(connection, Path(scratch))
                connection.commit()
                connection.execute("CHECKPOINT")
            finally:
                connection.close()
            if building != beside:
                shutil.move(building, beside)
        _flush(beside)
        beside.replace(path)
    finally:
        for left in (beside, beside.with_name(f"{beside.name}.wal")):
            left.unlink(missing_ok=True)


def _remove_left_behind(path: Path) -> None:
    """Remove what a killed run was building; only one run publishes at a time."""
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}.") and left.name.endswith((".tmp", ".tmp.wal")):
            left.unlink(missing_ok=True)


def _flush(file: Path) -> None:
    with file.open("rb+") as written:
        os.fsync(written.fileno())
