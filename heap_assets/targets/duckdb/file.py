"""The published DuckDB file: built beside the old one from a copy of it, then swapped in.

Readers that have the old file open keep it; nobody waits for anybody. Here: schemas, views, tables, comments, the swap.
Not here: what is in them (views.py, pipeline/publish/publication.py).
"""

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import polars as pl

from heap_assets.expressions.duckdb.quoting import file_list, identifier, literal
from heap_assets.schema.names import folded
from heap_assets.targets.duckdb.place import names_of
from heap_assets.targets.duckdb.swap import is_written, logs_of, put_in_place

_COLUMNS = (
    "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal"
    " ORDER BY schema_name, table_name, column_index"
)
_MOST_COPIED = 256 << 20
"""A file of tables (a lake in S3) is made again: it would be written twice."""
_READ_BY_ALL = 64
"""The version of the storage that DuckDB 1.0 writes."""
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"experimental_metadata_reuse": False}
"""What DuckDB 2 reuses of a file at a checkpoint, 1.1 cannot read."""
_NOTES_KEY = ("_heap_assets", "views")
_NOTED = dict.fromkeys(("schema_name", "view_name", "query", "said", "held"), pl.String())
_NOTES = f"SELECT {', '.join(_NOTED)} FROM {identifier(*_NOTES_KEY)}"
_HELD = """
    SELECT v.schema_name, v.view_name, sha256(concat_ws(chr(10), v.sql, v.comment, c.comments))
    FROM duckdb_views() v LEFT JOIN (
        SELECT schema_name, table_name, string_agg(concat(column_name, ': ', comment) ORDER BY column_index) AS comments
        FROM duckdb_columns() WHERE comment IS NOT NULL GROUP BY ALL
    ) c ON c.schema_name = v.schema_name AND c.table_name = v.view_name
    WHERE NOT v.internal
"""
"""What DuckDB itself holds of each view, whoever made it; asked once for all, which takes less than making one."""
_THERE = (
    "SELECT schema_name, table_name, 'TABLE' FROM duckdb_tables() WHERE NOT internal"
    " UNION ALL SELECT schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal"
)
_SCHEMAS = "SELECT schema_name FROM duckdb_schemas() WHERE NOT internal AND schema_name <> 'main'"
_Key = tuple[str, str]


class PublishedFile:
    """A DuckDB file that is being built, on a copy of the one before: a view that stays the same stays as it is.

    A view with its comments takes 30 ms to make, and there may be hundreds. One that somebody altered in the previous
    file is made again, as tables are each time.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        self._connection, self._scratch = connection, scratch
        there = connection.execute(_THERE).fetchall()
        self._there = {_key(schema, name): (schema, name, kind) for schema, name, kind in there}
        self._notes: dict[_Key, tuple[str, str]] = {}
        self._ours: set[_Key] = set()
        if _NOTES_KEY in self._there:
            held = self._held()
            for schema, name, query, said, held_then in connection.execute(_NOTES).fetchall():
                key = _key(schema, name)
                self._ours.add(key)
                if held.get(key) == held_then:
                    self._notes[key] = query, said
        self._queries: dict[_Key, str] = {}
        self._said: dict[_Key, str] = {}
        self._made: set[_Key] = set()
        self._schemas: set[str] = set()
        self.replaced: list[str] = []
        """What other people had put into the file before, which ends with it."""

    def add_schema(self, schema: str) -> None:
        """Create a schema; DuckDB 2.0 keeps no comments of schemas."""
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {identifier(schema)}")
        self._schemas.add(folded(schema))

    def add_table(self, schema: str, name: str, content: pl.DataFrame | str) -> None:
        """Create a table from a frame, or from a SELECT."""
        query = content
        if isinstance(content, pl.DataFrame):
            file = self._scratch / f"{uuid.uuid4().hex}.parquet"
            content.write_parquet(file, compression="uncompressed")
            query = f"SELECT * FROM read_parquet({file_list([str(file)])})"
        self._remove(schema, name)
        self._connection.execute(f"CREATE TABLE {identifier(schema, name)} AS {query}")
        self._made.add(_key(schema, name))

    def add_view(self, schema: str, name: str, query: str) -> None:
        """Create a view of a SELECT."""
        key, text = _key(schema, name), f"CREATE VIEW {identifier(schema, name)} AS {query}"
        self._made.add(key)
        self._queries[key] = _digest(text)
        query_before, _ = self._notes.get(key, ("", ""))
        if key not in self._there or query_before != self._queries[key]:
            self._remove(schema, name)
            self._connection.execute(text)
            self._notes.pop(key, None)

    def comment(self, schema: str, name: str, *, about: str, columns: Mapping[str, str], is_view: bool) -> None:
        """Say what a table or view and its columns mean."""
        kind = "VIEW" if is_view else "TABLE"
        comments = [f"COMMENT ON {kind} {identifier(schema, name)} IS {literal(about)}"]
        comments += [
            f"COMMENT ON COLUMN {identifier(schema, name, column)} IS {literal(meaning)}"
            for column, meaning in columns.items()
        ]
        statements, key = "; ".join(comments), _key(schema, name)
        self._said[key] = _digest(statements)
        _, said_before = self._notes.get(key, ("", ""))
        if said_before != self._said[key]:
            self._connection.execute(statements)

    def columns(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return of each schema and table or view the columns with their DuckDB types; DESCRIBE takes 4 ms for one."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for schema, name, column, data_type in self._connection.execute(_COLUMNS).fetchall():
            found.setdefault((schema, name), {})[column] = data_type
        return found

    def finish(self) -> None:
        """Remove what was in the file before and is not made any more."""
        self.add_schema(_NOTES_KEY[0])
        for key in sorted(set(self._there) - self._made - {_NOTES_KEY}):
            if key not in self._ours:
                schema, name, kind = self._there[key]
                self.replaced.append(f"the {kind.lower()} {schema}.{name}")
            self._remove(*key)
        for (schema,) in self._connection.execute(_SCHEMAS).fetchall():
            if folded(schema) not in self._schemas:
                self._connection.execute(f"DROP SCHEMA {identifier(schema)} CASCADE")

    def note(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Note of what the views were made; a file that was opened again holds them in other words than when made."""
        self._connection = connection
        held = self._held()
        notes = [(*key, query, self._said.get(key, ""), held[key]) for key, query in self._queries.items()]
        notes += [(*key, "", "", "") for key in sorted(self._made - self._queries.keys())]
        self.add_table(*_NOTES_KEY, pl.DataFrame(notes, schema=_NOTED, orient="row"))

    def _held(self) -> dict[_Key, str]:
        return {_key(schema, name): held for schema, name, held in self._connection.execute(_HELD).fetchall()}

    def _remove(self, schema: str, name: str) -> None:
        found = self._there.pop(_key(schema, name), None)
        if found is not None:
            self._connection.execute(f"DROP {found[2]} {identifier(found[0], found[1])}")


def _key(schema: str, name: str) -> _Key:
    return folded(schema), folded(name)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[PublishedFile]:
    """Build a file beside ``path`` and put it there when the block ends well; else the old file stays.

    A link at ``path`` stays, and the file that it leads to is replaced.
    """
    names = names_of(path)
    place = names[-1]
    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_behind(place)
    beside = place.with_name(f".{place.name}.{uuid.uuid4().hex}.tmp")
    try:
        with tempfile.TemporaryDirectory(prefix="heap-assets-") as scratch:
            # DuckDB takes a question mark in a path for the begin of a query, and would put its log in another folder
            building = Path(scratch) / beside.name if "?" in str(beside) else beside
            connection = _begun(place, building)
            try:
                connection.begin()  # one transaction: 40 views with their comments take 0.3 s, else 1.2
                file = PublishedFile(connection, Path(scratch))
                yield file
                file.finish()
                connection.commit()
                connection.execute("CHECKPOINT")
            finally:
                connection.close()
            connection = duckdb.connect(building, config=_SETTINGS)
            try:
                file.note(connection)
            finally:
                connection.close()
            if building != beside:
                shutil.move(building, beside)
        if logs_of(names):
            file.replaced.append("the log of a client that wrote into it")
        _flush(beside)
        put_in_place(beside, names)
        _flush(place.parent)
    finally:
        for left in (beside, beside.with_name(f"{beside.name}.wal")):
            left.unlink(missing_ok=True)


def _begun(before: Path, building: Path) -> duckdb.DuckDBPyConnection:
    """Open a copy of the file before; of one without notes like ours, or that is being written, nothing is taken over.

    The file is in the storage of DuckDB 1.0, which every later release reads and keeps: many clients are of a 1.x.
    """
    if before.exists() and before.stat().st_size <= _MOST_COPIED and not is_written(before):
        shutil.copyfile(before, building)
        if _storage_version(building) == _READ_BY_ALL:
            with suppress(duckdb.Error):
                connection = duckdb.connect(building, config=_SETTINGS)
                try:
                    connection.execute(_NOTES)  # not in the transaction, which a query that fails ends
                except duckdb.Error:
                    connection.close()
                else:
                    return connection
        building.unlink()
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH {literal(str(building))} AS building (STORAGE_VERSION 'v1.0.0')")
    return duckdb.connect(building, config=_SETTINGS)


def _storage_version(file: Path) -> int:
    """Return the version in a DuckDB file's header, after a checksum and four letters."""
    with file.open("rb") as opened:
        return int.from_bytes(opened.read(20)[12:], "little")


def _remove_left_behind(path: Path) -> None:
    """Remove what a killed run was building; only one run publishes at a time."""
    for left in path.parent.iterdir():
        if left.name.startswith(f".{path.name}.") and left.name.endswith((".tmp", ".tmp.wal")):
            left.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
