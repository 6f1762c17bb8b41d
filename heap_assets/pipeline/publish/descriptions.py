"""What is said of each table of the published file: its meaning and that of its columns, as comments.

Here: declared meanings and the columns that are there, put together once all tables are. Not here: making the tables
(publication.py), the words (schema/heap_tables.py, schema/own_tables.py, models/).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heap_assets.schema.heap_tables import RawTable
from heap_assets.schema.model import Model
from heap_assets.schema.own_tables import ORIGINAL_USER_ID
from heap_assets.targets.duckdb.file import PublishedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTable:
    """A table or view of the published file."""

    schema: str
    name: str
    rows: int
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTable:
    """A table or view that was made, and what is declared of it."""

    schema: str
    name: str
    declared: Model | RawTable
    rows: int
    is_view: bool


class Descriptions:
    """The tables of a file that is being built."""

    def __init__(self) -> None:
        self._made: list[MadeTable] = []

    def add(self, made: MadeTable) -> None:
        """Take up a table."""
        self._made.append(made)

    def put_into(self, file: PublishedFile, *, about: Mapping[str, str]) -> tuple[PublishedTable, ...]:
        """Comment every table and its columns, and return them; ``about`` is what Heap says of event tables."""
        columns = file.columns()
        for made in self._made:
            meanings = {column.name: column.meaning for column in (*made.declared.columns, ORIGINAL_USER_ID)}
            file.comment(
                made.schema,
                made.name,
                about=about.get(made.name, made.declared.description),
                columns={one: meanings[one] for one in columns[made.schema, made.name] if one in meanings},
                is_view=made.is_view,
            )
        return tuple(
            PublishedTable(schema=made.schema, name=made.name, rows=made.rows, columns=columns[made.schema, made.name])
            for made in self._made
        )
