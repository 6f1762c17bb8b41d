"""A table on resolved users as recipes read it: rows as they are stored, and an expression of each published column.

A column is found by its published name, without case, as DuckDB finds it; ids and time by their delivered names. Not
here: how such tables come about of a resolution (migrated_tables.py), what is built of the rows (models/).
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import polars as pl
import polars.selectors as cs

from heap_assets.schema.fingerprint import fingerprint
from heap_assets.schema.names import folded

_AT_ONCE = 2
IDS = {"event_id": pl.Int64(), "session_id": pl.Int64(), "time": pl.Datetime("us")}


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedTable:
    """One table: its rows, the expression of each published column, a fingerprint of its data and one for each column.

    ``name`` is the delivered name of the table, ``delivered`` are the columns that Heap delivered, by delivered name;
    ``stored`` has the columns of ``rows`` that each published column is made of; ``stored_rows`` counts rows of all
    users, superseded ones included.
    While the fingerprint of a column stays, a row that stays has the value that it had.
    """

    name: str
    rows: pl.LazyFrame
    values: Mapping[str, pl.Expr]
    stored: Mapping[str, frozenset[str]]
    delivered: frozenset[str]
    stored_rows: int
    data: str
    rules: Mapping[str, str]

    @property
    def user(self) -> pl.Expr:
        """Return the resolved user (Int64) that a row is of."""
        return self.values["user_id"]

    def rule(self, columns: Iterable[str]) -> str:
        """Return a fingerprint of how these columns, in any case, and the ids and the time come about."""
        wanted = set(self.published(columns))
        rules = [(name, rule) for name, rule in sorted(self.rules.items()) if name in wanted]
        return fingerprint(self.name, *rules)

    def published(self, columns: Iterable[str] | None) -> list[str]:
        """Return the published names of these columns, given in any case, the ids and the time; of all if None."""
        if columns is None:
            return list(self.values)
        wanted = {folded(name) for name in (*columns, "user_id", *IDS)}
        return [name for name in self.values if folded(name) in wanted]

    def stored_rows_of(self, columns: Iterable[str] | None) -> pl.LazyFrame:
        """Return the rows with those of their columns that these published ones, the ids and the time are made of."""
        return self.rows.select(sorted({one for name in self.published(columns) for one in self.stored[name]}))

    def column(self, name: str) -> str | None:
        """Return the published name of a column, which may be given in any case; None if there is none."""
        return next((published for published in self.values if folded(published) == folded(name)), None)

    def select(self, columns: Mapping[str, str]) -> pl.LazyFrame:
        """Return user_id, and these columns of the table under the names that they are given for."""
        chosen = {"user_id": "user_id", **columns}
        return self.rows.select(self.values[published].alias(name) for name, published in chosen.items())

    def occurrences(self, ids: Sequence[str], columns: Mapping[str, str] | None = None) -> pl.LazyFrame:
        """Return user_id, these of event_id, session_id and time (null where the table lacks one), these columns."""
        chosen = {"user_id": "user_id", **(columns or {})}
        return self.rows.select(
            *(self.values[published].alias(name) for name, published in chosen.items()),
            *(self._id(name) for name in ids),
        )

    def in_memory(self, columns: Iterable[str]) -> "MigratedTable":
        """Return the table with its rows read, for whoever asks for these columns (in any case), the ids, the time."""
        read = self.published(columns)
        rows = self.rows.select(self.values[name].alias(name) for name in read).collect(engine="streaming")
        there = {name: cs.by_name(name).as_expr() for name in read}
        stored = {name: frozenset({name}) for name in read}
        return replace(self, rows=rows.lazy(), values={**self.values, **there}, stored={**self.stored, **stored})

    def _id(self, name: str) -> pl.Expr:
        value = self.values[name] if name in self.delivered else pl.lit(None, dtype=IDS[name])
        return value.alias(name)


@dataclass(frozen=True, slots=True)
class MigratedTables:
    """Sessions, pageviews and event tables by published name, and the users; ``rows`` counts those of all tables."""

    events: Mapping[str, MigratedTable]
    users: MigratedTable | None
    rows: int

    def with_rows(self, rows: Mapping[str, pl.LazyFrame], users: pl.LazyFrame | None) -> "MigratedTables":
        """Return them with these rows of event tables, by published name, and these of users, where there are any."""
        events = {name: replace(table, rows=rows.get(name, table.rows)) for name, table in self.events.items()}
        merged = self.users if self.users is None or users is None else replace(self.users, rows=users)
        return replace(self, events=events, users=merged)

    def in_memory(self, columns: Mapping[str, Iterable[str]]) -> "MigratedTables":
        """Return them with the rows of these tables read once, for whoever asks for these columns of them."""
        names = sorted(
            (name for name in self.events if name in columns), key=lambda name: -self.events[name].stored_rows
        )
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # small files cost waiting, not computing
            read = pool.map(lambda name: self.events[name].in_memory(columns[name]), names)
            return replace(self, events={**self.events, **dict(zip(names, read, strict=True))})


NO_TABLES = MigratedTables({}, None, 0)
