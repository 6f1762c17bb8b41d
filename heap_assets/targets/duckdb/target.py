"""The DuckDB file as a target: relations rendered as views over the lake's Parquet, or as tables.

Here: which SQL each kind of content is, and in which order a file is built. Not here: the SQL (views.py), the file and
its swap (file.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from heap_assets.expressions.duckdb.quoting import identifier
from heap_assets.targets.duckdb import views
from heap_assets.targets.duckdb.file import PublishedFile, new_file
from heap_assets.targets.duckdb.internal_schema import InternalSchema
from heap_assets.targets.relation import (
    Content,
    Files,
    Layers,
    OnResolvedUsers,
    Relation,
    ResolvedFiles,
    Union,
    WithLabeled,
)
from heap_assets.targets.target import Capabilities, Published, PublishedTable


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckDBTarget:
    """A DuckDB file that anyone can open; with ``as_tables`` it stands alone, without the lake."""

    path: Path
    as_tables: bool

    @property
    def capabilities(self) -> Capabilities:
        """Return what a DuckDB file can do."""
        return Capabilities(
            views_over_parquet=True, comments=True, atomic_swap=True, longest_identifier=None, folds_case=True
        )

    def publish(
        self, schemas: Sequence[str], relations: Sequence[Relation], *, refuse: Callable[[], None]
    ) -> Published:
        """Build the file beside the old one and swap it in."""
        with new_file(self.path) as file:
            internal = InternalSchema(file, relations, as_tables=self.as_tables)
            internal.build()
            for schema in schemas:
                file.add_schema(schema)
            rendering = _Rendering(internal)
            for relation in relations:
                self._add(file, relation, rendering)
            tables = self._described(file, relations)
            refuse()
        return Published(tables=tables, replaced=tuple(file.replaced))

    def _is_table(self, relation: Relation) -> bool:
        return self.as_tables or relation.small or isinstance(relation.content, pl.DataFrame)

    def _add(self, file: PublishedFile, relation: Relation, rendering: "_Rendering") -> None:
        if isinstance(relation.content, pl.DataFrame):
            file.add_table(relation.schema, relation.name, relation.content)
            return
        add = file.add_table if self._is_table(relation) else file.add_view
        add(relation.schema, relation.name, rendering.query(relation.content, schema=relation.schema))

    def _described(self, file: PublishedFile, relations: Sequence[Relation]) -> tuple[PublishedTable, ...]:
        """Say what every relation and its columns mean; return them as they are in the file."""
        columns = file.columns()
        for relation in relations:
            there = columns[relation.schema, relation.name]
            file.comment(
                relation.schema,
                relation.name,
                about=relation.description,
                columns={name: relation.meanings[name] for name in there if name in relation.meanings},
                is_view=not self._is_table(relation),
            )
        return tuple(
            PublishedTable(schema=one.schema, name=one.name, rows=one.rows, columns=columns[one.schema, one.name])
            for one in relations
        )


@dataclass(frozen=True, slots=True)
class _Rendering:
    """Contents as SELECTs over the internal schema of a file."""

    internal: InternalSchema

    def query(self, content: Content, *, schema: str) -> str:
        """Return the SELECT of a content; ``schema`` is where its relation lies."""
        if isinstance(content, WithLabeled):
            return views.with_labeled(content, self.query(content.rows, schema=schema))
        if isinstance(content, ResolvedFiles):
            return views.raw_select(content, self.internal.lake(content))
        if isinstance(content, OnResolvedUsers):
            recorded = self.internal.recorded(content.recorded)
            return views.migrated_select(content, recorded=recorded, users=self.internal.users)
        if isinstance(content, Union):
            return self._union(content, schema)
        if isinstance(content, Layers):
            return self.internal.layered(content)
        if isinstance(content, Files):
            return views.file_select(*content.files)
        raise TypeError(f"a {type(content).__name__} is not read by a query")

    def _union(self, union: Union, schema: str) -> str:
        """Return the SELECT over the published tables, or on resolved users over the tables as recorded."""
        users = None if union.user_map is None else self.internal.users
        relations = {
            name: identifier(schema, name) if users is None else self.internal.recorded(table)
            for name, table in union.tables.items()
        }
        return views.union_select(union, relations, resolved_by=users)
