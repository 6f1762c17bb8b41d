"""What a resolution leaves for the next: of each table what was computed of it, who was merged, the merged users.

It is a part of the state and the Parquet files that it names; it is replaced as a whole at the end of a resolution.
Not here: what follows from it (resolution.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from heap_assets.lake.layers import Layer, files_of
from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.resolve.table_facts import TableFacts, TableSums


@dataclass(frozen=True, slots=True, kw_only=True)
class TableState:
    """What was computed of a table, and from which deliveries.

    Attributes:
        duplicates: The file of the key frame of all rows whose entity stands more than once, if any does.
        user_rows: Files that together count the rows of each recorded user.
        facts_of: All that the facts follow from; while it stays, so do they.
    """

    deliveries: tuple[str, ...]
    duplicates: str | None
    user_rows: tuple[str, ...]
    sums: TableSums
    facts: TableFacts
    facts_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersState:
    """The merged users in layers, and from which deliveries, columns and merges they were made."""

    layers: tuple[Layer, ...]
    rows: int
    deliveries: tuple[str, ...]
    columns: str
    merges: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMapState:
    """The file that says whom each recorded user is resolved to, and the files of user rows that it was made of."""

    path: str
    user_rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SupersededState:
    """The file that names the rows of all tables that do not count, and the duplicates of each that it was built of."""

    path: str
    duplicates: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedState:
    """Every table by name; the deliveries of migrations and the file of the identity map; the merged users."""

    tables: Mapping[str, TableState] = field(default_factory=dict)
    merges: tuple[str, ...] = ()
    identity_map: str | None = None
    users: UsersState | None = None
    user_map: UserMapState | None = None
    superseded: SupersededState | None = None


def _files_of_state(state: ResolvedState) -> frozenset[str]:
    files = {file for table in state.tables.values() for file in (table.duplicates, *table.user_rows)}
    files |= {state.identity_map} | {one.path for one in (state.user_map, state.superseded) if one is not None}
    users = () if state.users is None else state.users.layers
    return files_of(users) | {file for file in files if file is not None}


RESOLVED = Part("resolved", TypeAdapter(ResolvedState), without=ResolvedState(), files=_files_of_state)


def read_state(storage: Storage) -> ResolvedState:
    """Return what the last resolution left."""
    return RESOLVED.read(storage)


def write_state(storage: Storage, state: ResolvedState) -> None:
    """Replace what the last resolution left."""
    RESOLVED.write(storage, state)


def resolved_files(storage: Storage) -> frozenset[str]:
    """Return the files that the last resolution needs, be they there or not."""
    return _files_of_state(RESOLVED.known(storage) or ResolvedState())
