"""The internal schema of the published file: what its views read besides the models.

Which rows do not count, who is whom, whose rows are in a newer layer, which files a table has, its rows with users as
recorded. Views over these stay the same while dumps come. Here: making them. Not here: what is published
(publication.py).
"""

from collections.abc import Iterable
from dataclasses import replace

from heap_assets.expressions.duckdb.quoting import identifier
from heap_assets.lake.layers import Layered
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.publish.refreshes import Refreshes
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
from heap_assets.pipeline.resolve.superseded import numbers_of
from heap_assets.schema.stored_columns import escaped
from heap_assets.targets.duckdb import views
from heap_assets.targets.duckdb.file import PublishedFile

SCHEMA = "_heap_assets"
_SUPERSEDED, _USERS, _REFRESHED = "superseded", "users", "refreshed"


class InternalSchema:
    """The tables and views of the schema; where the file is to stand alone, queries in place of views."""

    users = identifier(SCHEMA, _USERS)
    """The quoted name of the relation that has every recorded user, with whom it is resolved to."""

    def __init__(
        self,
        file: PublishedFile,
        storage: Storage,
        resolution: Resolution,
        layered: Iterable[Layered],
        *,
        as_tables: bool,
    ) -> None:
        self._file, self._storage, self._resolution, self._as_tables = file, storage, resolution, as_tables
        self._refreshes = Refreshes.of(layered)

    def build(self) -> None:
        """Add the tables, and a view of the files of each table: a dump changes one view a table."""
        self._file.add_schema(SCHEMA)
        add = self._file.add_table if self._as_tables else self._file.add_view
        for name, file in ((_SUPERSEDED, self._resolution.superseded), (_USERS, self._resolution.everybody)):
            add(SCHEMA, name, views.file_select(str(self._storage.local_copy(file))))
        if self._refreshes.numbers:
            self._file.add_table(SCHEMA, _REFRESHED, self._refreshes.users(self._storage))
        for name, table in self._resolution.tables.items():
            if table.current.files and not self._as_tables:
                self._file.add_view(SCHEMA, _files(name), views.files_select(self.lake(table)))

    def lake(self, table: ResolvedTable, *, migrated: bool = False) -> views.Lake:
        """Return where the rows of a table are, and which of them do not count."""
        superseded = table.migrated_superseded if migrated else table.superseded
        numbers = numbers_of(table.current.name, self._resolution.tables, migrated=migrated)
        lost = views.lost_select(identifier(SCHEMA, _SUPERSEDED), numbers)
        lake = views.Lake(
            files=[str(self._storage.local_copy(path)) for path in table.current.paths()],
            alike=table.current.is_uniform(),
            superseded=lost if len(superseded) else None,
        )
        return lake if self._as_tables else replace(lake, view=identifier(SCHEMA, _files(table.current.name)))

    def recorded(self, table: ResolvedTable) -> str:
        """Return a quoted view, or a query, of the rows that count once users are resolved, with users as recorded."""
        shape = table.current.shape
        select = views.raw_select(shape, self.lake(table, migrated=True), shape.names_in_migrated())
        if self._as_tables:
            return f"({select})"
        name = f"recorded/{escaped(table.current.name)}"
        self._file.add_view(SCHEMA, name, select)
        return identifier(SCHEMA, name)

    def layered(self, made: Layered, *, user: str) -> str:
        """Return a query of the rows of layers that count; ``user`` is the column that says whose a row is."""
        layers = self._refreshes.layers(self._storage, made)
        return views.layered_select(layers, user=user, refreshed=identifier(SCHEMA, _REFRESHED))


def _files(name: str) -> str:
    return f"files/{escaped(name)}"
