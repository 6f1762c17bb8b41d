"""What the models read of one bucket of users: the resolved tables and the models made before, as frames.

All rows of a user are in one bucket, so a user-local model of a bucket is exact, and all buckets under one another are
the model. Only the columns that a model needs are read. Not here: which model needs what (recipes.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from heap_assets.config.event_names import EventTables
from heap_assets.config.model import Funnel, Step
from heap_assets.pipeline.build.migrated_tables import MigratedTable, MigratedTables
from heap_assets.transforms.analytics.text_columns import equal_texts

_EVENTS = {
    "event_table_name": pl.String(),
    "event_id": pl.Int64(),
    "user_id": pl.Int64(),
    "session_id": pl.Int64(),
    "time": pl.Datetime("us"),
}
_OCCURRENCES = {
    "heap_user_id": pl.Int64(),
    "heap_session_id": pl.Int64(),
    "heap_event_id": pl.Int64(),
    "time": pl.Datetime("us"),
    "step": pl.Int64(),
}
_GROUP = "group_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class UserBucket:
    """Bucket ``number`` of ``buckets``; ``made`` gives the rows that a model has for its users."""

    tables: MigratedTables
    events: EventTables
    made: Callable[[str], pl.LazyFrame]
    number: int = 0
    buckets: int = 1

    def all_events(self, *, without: str) -> pl.DataFrame:
        """Return event_table_name, event_id, user_id, session_id and time of all tables but one."""
        parts = [
            table.occurrences(("event_id", "session_id", "time")).select(
                pl.lit(name).alias("event_table_name"), "event_id", "user_id", "session_id", "time"
            )
            for name, table in self.tables.events.items()
            if name != without
        ]
        return self._collected(pl.concat([pl.LazyFrame(schema=_EVENTS), *parts]))

    def table(self, name: str, *, ids: Sequence[str], texts: Sequence[str]) -> pl.DataFrame:
        """Return user_id and ``ids`` of a table, and of ``texts`` the columns that it has; no rows if there is none."""
        table = self.tables.events.get(name)
        if table is None:
            return pl.DataFrame(schema={"user_id": pl.Int64(), **{one: _EVENTS[one] for one in ids}})
        columns = {text: published for text in texts if (published := table.column(text)) is not None}
        return self._collected(table.occurrences(ids, columns))

    def users(self, names: Sequence[str] | None = None) -> pl.DataFrame:
        """Return user_id and all columns of the migrated users, or of these names those that they have."""
        users = self.tables.users
        if users is None:
            return pl.DataFrame(schema={"user_id": pl.Int64()})
        columns = {name: name for name in users.values} if names is None else _found(users, names)
        return self._collected(users.select(columns))

    def doers(self, event: str) -> pl.DataFrame:
        """Return user_id of each time that an event of the configuration was done."""
        return self.table(self.events.of(event), ids=(), texts=())

    def occurrences(self, funnel: Funnel) -> pl.DataFrame:
        """Return what funnel_users asks for: a row per event and step that it can serve."""
        parts = [pl.LazyFrame(schema=_OCCURRENCES)]
        for number, step in enumerate(funnel.steps, start=1):
            table = self.tables.events.get(self.events.of(step.event))
            if table is not None:
                grouped_by = funnel.group_by if number == 1 else None
                rows = self._occurrences(table, step, number, grouped_by)
                ids_count = funnel.group_by is not None or funnel.scope == "session"
                parts.append(rows if ids_count else rows.drop("heap_session_id", "heap_event_id"))
        return self._collected(pl.concat(parts, how="diagonal"), user="heap_user_id")

    def _occurrences(self, table: MigratedTable, step: Step, number: int, group_by: str | None) -> pl.LazyFrame:
        wanted = step.where
        columns = {f"where {name}": column for name in wanted if (column := table.column(name)) is not None}
        own_group = None if group_by is None else table.column(group_by)
        if own_group is not None:
            columns[_GROUP] = own_group
        rows = table.occurrences(("event_id", "session_id", "time"), columns)
        fits = equal_texts({f"where {name}": text for name, text in wanted.items()}, rows.collect_schema())
        found = rows.filter(fits).select(
            pl.col("user_id").alias("heap_user_id"),
            pl.col("session_id").alias("heap_session_id"),
            pl.col("event_id").alias("heap_event_id"),
            "time",
            pl.lit(number, dtype=pl.Int64).alias("step"),
            *([_GROUP] if own_group is not None else []),
        )
        return self._with_group_of_users(found, group_by) if group_by is not None and own_group is None else found

    def _with_group_of_users(self, rows: pl.LazyFrame, group_by: str) -> pl.LazyFrame:
        users = self.tables.users
        column = None if users is None else users.column(group_by)
        if users is None or column is None:
            return rows.with_columns(pl.lit(None, dtype=pl.String).alias(_GROUP))
        groups = users.rows.select(users.values["user_id"].alias("heap_user_id"), users.values[column].alias(_GROUP))
        return rows.join(groups, on="heap_user_id", how="left")

    def _collected(self, rows: pl.LazyFrame, user: str = "user_id") -> pl.DataFrame:
        if self.buckets > 1:
            rows = rows.filter(pl.col(user).hash() % self.buckets == self.number)
        return rows.collect(engine="streaming")


def _found(table: MigratedTable, names: Sequence[str]) -> Mapping[str, str]:
    return {name: published for name in names if (published := table.column(name)) is not None}
