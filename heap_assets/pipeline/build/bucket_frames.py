"""What a recipe reads, of one bucket of users: frames out of the resolved tables and the models built before.

All rows of a user are in one bucket, so a user-local model of a bucket is exact, and all buckets under one another are
the model. Only the columns that a recipe names are read. Not here: which recipe reads what (models/), buckets
(engines/).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from heap_assets.models.recipe import Read
from heap_assets.pipeline.build.migrated_table import IDS, MigratedTable, MigratedTables
from heap_assets.transforms.analytics.text_columns import equal_texts

_USER = {"user_id": pl.Int64()}


@dataclass(frozen=True, slots=True)
class BucketFrames:
    """The frames of one recipe's reads; ``models`` are the rows of the models that it reads, by name."""

    reads: tuple[Read, ...]
    tables: MigratedTables
    models: Mapping[str, pl.LazyFrame]

    def read(self, read: Read) -> pl.DataFrame:
        """Return the rows of one read."""
        return self._query(read).collect(engine="streaming")

    def read_all(self, reads: Sequence[Read]) -> list[pl.DataFrame]:
        """Return the rows of several reads, which are read at once."""
        queries = {read: self._query(read) for read in reads}
        found = pl.collect_all(list(queries.values()), engine="streaming")
        frames = dict(zip(queries, found, strict=True))
        return [frames[read] for read in reads]

    def _query(self, read: Read) -> pl.LazyFrame:
        if read.kind == "model":
            rows = self.models[read.table]
            found = rows.filter(equal_texts(dict(read.where), rows.collect_schema())) if read.where else rows
            return found if read.columns is None else found.select(read.columns)
        if read.kind == "users":
            users = self.tables.users
            return pl.LazyFrame(schema=_USER) if users is None else users.select(_columns(users, read))
        table = self.tables.events.get(read.table)
        if table is None:
            return pl.LazyFrame(schema={**_USER, **{name: IDS[name] for name in read.ids}})
        return _occurrences(table, read)


def _columns(table: MigratedTable, read: Read) -> Mapping[str, str]:
    """Return the published columns of a read by the names that they have in the frame."""
    if read.columns is None:
        return {name: name for name in table.values}
    asked = (*((name, name) for name in read.columns), *read.renamed)
    return {shown: published for name, shown in asked if (published := table.column(name)) is not None}


def _occurrences(table: MigratedTable, read: Read) -> pl.LazyFrame:
    columns = _columns(table, read)
    if not read.where:
        return table.occurrences(read.ids, columns)
    wanted = {f"where {name}": text for name, text in read.where}
    conditions = {f"where {name}": published for name, _ in read.where if (published := table.column(name))}
    rows = table.occurrences(read.ids, {**columns, **conditions})
    return rows.filter(equal_texts(wanted, rows.collect_schema())).drop(cs.by_name(*conditions))
