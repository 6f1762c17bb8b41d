"""What a table looks like now: its columns, their types, the names they are published under. Pure data and rules.

Here: from the stored columns that the current files hold to the columns that a reader sees; used by the Polars scan and
by the DuckDB view alike. Not here: where the files are (lake/), how a value is converted (transforms/, warehouse/).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from heap_assets.schema.heap_tables import LONG, RawTable, raw_table
from heap_assets.schema.names import published_names
from heap_assets.schema.own_tables import (
    ORIGINAL_USER_ID,
)
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, delivered_column, stored_name
from heap_assets.schema.value_types import ValueType, resolved_type


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSchema:
    """One column: its delivered name, the type a reader sees, and in which types its values are stored."""

    name: str
    type: ValueType
    stored: tuple[ValueType, ...]


@dataclass(frozen=True, kw_only=True)
class TableSchema:
    """One raw table; ``unkeyed`` tells that some rows lack a required id and belong to the quarantine."""

    name: str
    columns: tuple[ColumnSchema, ...]
    unkeyed: bool

    @property
    def table(self) -> RawTable:
        """Return what the catalogue declares of this table."""
        return raw_table(self.name)

    def names_in_s(self) -> Mapping[str, str]:
        """Return the published name of each column in the schema without migrations."""
        return self._in_s

    def names_in_migrated(self) -> Mapping[str, str]:
        """Return the published name of each column in the schema with migrations."""
        return self._in_migrated

    @cached_property
    def _in_s(self) -> Mapping[str, str]:
        return self._names([])

    @cached_property
    def _in_migrated(self) -> Mapping[str, str]:
        return self._names([ORIGINAL_USER_ID.name] if self.table.is_event_like else [])

    def _names(self, ours: Iterable[str]) -> dict[str, str]:
        """Return the published names: ids and times, which queries join on, keep theirs whatever else comes."""
        kept = {*self.table.certain, *self.table.ids} & {column.name for column in self.columns}
        others = [column.name for column in self.columns if column.name not in kept]
        return {**published_names(others, reserved=[*kept, *ours]), **{name: name for name in kept}}

    def column(self, name: str) -> ColumnSchema | None:
        """Return the column of this delivered name."""
        return next((column for column in self.columns if column.name == name), None)


class FileStats(Protocol):
    """What is known of a stored file without opening it: rows, and the nulls of each of its stored columns."""

    @property
    def rows(self) -> int:
        """Return the number of rows."""

    @property
    def nulls(self) -> Mapping[str, int]:
        """Return how many rows are null in each stored column of the file."""


def schema_of_files(name: str, files: Sequence[FileStats], *, manifest_columns: Iterable[str] = ()) -> TableSchema:
    """Return the shape of a table that consists of these files.

    ``manifest_columns`` are the columns that manifests name; they only serve a table without any file.
    """
    table = raw_table(name)
    found: dict[str, set[ValueType]] = {}
    for file in files:
        for stored, nulls in file.nulls.items():
            if stored in {ROW_ID, DUMP_ID}:
                continue
            column, value_type = delivered_column(stored)
            types = found.setdefault(column, set())
            if nulls < file.rows:
                types.add(value_type)
    if not files:
        found = {column: set() for column in manifest_columns}
    for column in table.certain:
        found.setdefault(column, set())
    documented = [column.name for column in table.columns]
    order = {column: place for place, column in enumerate(documented)}
    names = sorted(found, key=lambda column: (order.get(column, len(order)), column))
    unkeyed = any(file.nulls.get(stored_name(column, LONG), file.rows) for file in files for column in table.required)
    return TableSchema(
        name=name, columns=tuple(_column_schema(table, column, found[column]) for column in names), unkeyed=unkeyed
    )


def _column_schema(table: RawTable, column: str, types: set[ValueType]) -> ColumnSchema:
    native = table.native_type(column)
    if native is None:
        return ColumnSchema(name=column, type=resolved_type(types), stored=tuple(sorted(types)))
    return ColumnSchema(name=column, type=native, stored=(native,) if native in types else ())
