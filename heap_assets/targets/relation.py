"""What is published, as plain values: relations with names, meanings and where their rows are. No SQL, no connection.

Whatever can read Parquet can be a target: it renders these values in its own words. Here: the values. Not here: which
relations there are (pipeline/publish/), rendering (one folder per target), what a target is (target.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from heap_assets.schema.all_events import UnionColumn
from heap_assets.schema.labeled import Definition
from heap_assets.schema.table_schema import TableSchema
from heap_assets.schema.value_types import ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """Rows that do not count: in this Parquet file the row_id of a table (table_name) where the flag ``of`` is true."""

    file: str
    table: str
    of: Literal["as_recorded", "on_resolved_users"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedFiles:
    """The rows of a raw table that count, users as recorded.

    Attributes:
        shape: Its columns, each with the stored columns that it is made of.
        names: The published name of each column by its delivered one.
        alike: Whether all files have the same columns.
        superseded: The rows that do not count, if there are any.
    """

    table_schema: TableSchema
    names: Mapping[str, str]
    files: tuple[str, ...]
    alike: bool
    superseded: Superseded | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnResolvedUsers:
    """These rows with user_id resolved, and as original_user_id the recorded one.

    ``user_map`` is the Parquet file of user_id and resolved_user_id of every recorded user.
    """

    recorded: ResolvedFiles
    user_map: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All rows of Parquet files, as they are."""

    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayer:
    """Parquet files with all rows of some users; ``users`` is the Parquet file that names them, None for all users."""

    files: tuple[str, ...]
    users: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Of each user the rows of the newest layer that has the user, oldest first; ``user`` is the column of users."""

    layers: tuple[FileLayer, ...]
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Union:
    """Tables under one another, each by its published name, with a column that says the name.

    ``user_map`` as in OnResolvedUsers, if the union is on resolved users.
    """

    tables: Mapping[str, ResolvedFiles]
    columns: tuple[UnionColumn, ...]
    user_map: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithLabeled:
    """Rows with the computed properties of these definitions that they lack.

    ``columns`` are the delivered names with the published name and type of each, ``ours`` the columns beside them.
    """

    rows: "Content"
    columns: Mapping[str, tuple[str, ValueType]]
    definitions: tuple[Definition, ...]
    ours: tuple[str, ...] = ()


Content = pl.DataFrame | Files | ResolvedFiles | OnResolvedUsers | Layers | Union | WithLabeled


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or view that is published.

    Attributes:
        meanings: What a column means, of those that are known to mean something; others may be there, too.
        rows: How many rows count.
        small: It is better copied than read from its files each time.
    """

    schema: str
    name: str
    description: str
    meanings: Mapping[str, str] = field(default_factory=dict)
    rows: int
    content: Content
    small: bool = False
