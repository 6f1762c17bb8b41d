"""The internal schema of the published file: what its views read besides the lake's files.

Which rows do not count, who is whom, whose rows are in a newer layer, which files a table has, its rows with users as
recorded. Views over these stay the same while dumps come. Here: making them. Not here: what is published (the
relations).
"""

from collections.abc import Iterator, Sequence

from heap_assets.expressions.duckdb.quoting import identifier
from heap_assets.schema.stored_columns import escaped
from heap_assets.targets.duckdb import views
from heap_assets.targets.duckdb.file import PublishedFile
from heap_assets.targets.duckdb.refreshes import Refreshes
from heap_assets.targets.relation import Content, Layers, OnResolvedUsers, Relation, ResolvedFiles, Union, WithLabeled

SCHEMA = "_heap_assets"
_SUPERSEDED, _USERS, _REFRESHED = "superseded", "users", "refreshed"


class InternalSchema:
    """The tables and views of the schema; where the file is to stand alone, queries in place of views."""

    users = identifier(SCHEMA, _USERS)
    """The quoted name of the relation that has every recorded user, with whom it is resolved to."""

    def __init__(self, file: PublishedFile, relations: Sequence[Relation], *, as_tables: bool) -> None:
        self._file, self._as_tables = file, as_tables
        self._contents = [content for relation in relations for content in _within(relation.content)]
        self._refreshes = Refreshes.numbered(content for content in self._contents if isinstance(content, Layers))
        self._recorded: set[str] = set()

    def build(self) -> None:
        """Add the tables, and a view of the files of each table: a dump changes one view a table."""
        self._file.add_schema(SCHEMA)
        tables = {
            content.table_schema.name: content for content in self._contents if isinstance(content, ResolvedFiles)
        }
        superseded = {content.superseded.file for content in tables.values() if content.superseded is not None}
        user_maps = {content.user_map for content in self._contents if isinstance(content, OnResolvedUsers | Union)} - {
            None
        }
        add = self._file.add_table if self._as_tables else self._file.add_view
        for name, files in ((_SUPERSEDED, superseded), (_USERS, user_maps)):
            for file in files:
                add(SCHEMA, name, views.file_select(file or ""))
        if self._refreshes.numbers:
            self._file.add_table(SCHEMA, _REFRESHED, self._refreshes.users())
        for name, table in tables.items():
            if table.files and not self._as_tables:
                self._file.add_view(SCHEMA, _files(name), views.files_select(self.lake(table)))

    def lake(self, table: ResolvedFiles) -> views.Lake:
        """Return where the rows of a table are, and which of them do not count."""
        superseded, view = table.superseded, identifier(SCHEMA, _SUPERSEDED)
        return views.Lake(
            files=table.files,
            alike=table.alike,
            superseded=None if superseded is None else views.lost_select(view, superseded),
            view=None if self._as_tables else identifier(SCHEMA, _files(table.table_schema.name)),
        )

    def recorded(self, table: ResolvedFiles) -> str:
        """Return a quoted view, or a query, of the rows that count once users are resolved, with users as recorded."""
        select = views.raw_select(table, self.lake(table))
        if self._as_tables:
            return f"({select})"
        name = f"recorded/{escaped(table.table_schema.name)}"
        if name not in self._recorded:
            self._file.add_view(SCHEMA, name, select)
            self._recorded.add(name)
        return identifier(SCHEMA, name)

    def layered(self, rows: Layers) -> str:
        """Return a query of the rows of layers that count."""
        return views.layered_select(rows, self._refreshes.after(rows), refreshed=identifier(SCHEMA, _REFRESHED))


def _within(content: Content) -> Iterator[Content]:
    """Yield a content and those that it is made of, the rows of raw tables as recorded first."""
    if isinstance(content, WithLabeled):
        yield from _within(content.rows)
    elif isinstance(content, Union):
        yield from content.tables.values()
    elif isinstance(content, OnResolvedUsers):
        yield content.recorded
    yield content


def _files(name: str) -> str:
    return f"files/{escaped(name)}"
