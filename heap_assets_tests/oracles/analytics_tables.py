"""The whole of heap_analytics, and the segments, by a plain reading of the contract: made of the migrated tables.

Here: which rows of which published table each model reads, and what the configuration's names mean. Not here: the
models themselves (analytics_*.py). A column is found by its published name, without case, as a SQL query finds it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from heap_assets.config.model import Configuration, Funnel, Segment, Step
from heap_assets.models.catalog import ANALYTICS
from heap_assets.schema.names import table_name
from heap_assets_tests.oracles.analytics_attribution import attribution, attribution_by_channel
from heap_assets_tests.oracles.analytics_channels import channel
from heap_assets_tests.oracles.analytics_funnels import funnel_steps, funnel_users
from heap_assets_tests.oracles.analytics_journeys import paths, retention, trends
from heap_assets_tests.oracles.analytics_pageviews import heap_pageviews
from heap_assets_tests.oracles.analytics_sessions import ARRIVAL, INITIAL, heap_events, heap_sessions, heap_users
from heap_assets_tests.oracles.naming import folded, published_names
from heap_assets_tests.oracles.typing_rules import as_text

if TYPE_CHECKING:
    from heap_assets_tests.oracles.tables import Table

IDS = ("event_id", "user_id", "session_id", "time")
TEXTS = {*ARRIVAL, *INITIAL, "ip", "referrer", "domain", "path", "query", "hash", "title"}
TEXTS |= {"previous_page", "heap_previous_page"}


@dataclass(frozen=True)
class Migrated:
    """The tables of S_migrated; ``names`` of the event-like ones by delivered name, ``shown``: table, display name."""

    tables: Mapping[str, "Table"]
    names: Mapping[str, str]
    shown: Sequence[tuple[str, str]]

    def table_of(self, event: str) -> str | None:
        """Return the table of an event of the configuration."""
        if event in self.names.values():
            return event
        called_so = sorted(table for table, shown in self.shown if shown == event and table in self.names)
        return self.names.get(called_so[0] if called_so else table_name(event))

    def rows(self, name: str | None, *, texts: Iterable[str] = ()) -> list[dict]:
        """Return the rows of a table with ids, time and these texts; none if there is no such table."""
        if name not in self.tables:
            return []
        texts = list(texts)
        return [
            {column: row.get(column) for column in IDS}
            | {text: None if found(row, text) is None else as_text(found(row, text)) for text in texts}
            for row in rows_of(self.tables[name])
        ]


def rows_of(table: "Table") -> list[dict]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def found(row: Mapping[str, object], name: str) -> object:
    """Return the value of a column that is named in any case."""
    return next((value for column, value in row.items() if folded(column) == folded(name)), None)


def has(table: "Table", name: str) -> bool:
    return any(folded(column) == folded(name) for column in table.columns)


def fits(row: Mapping[str, object], where: Mapping[str, object]) -> bool:
    values = {name: found(row, name) for name in where}
    return all(_equals(values[name], wanted) for name, wanted in where.items())


def _equals(value: object, written: str) -> bool:
    """Tell whether a value equals what is written: as a number where it is one, else as text (flags in any case)."""
    if value is None:
        return False
    if isinstance(value, bool):
        return as_text(value) == written.lower()
    if isinstance(value, int | float):
        try:
            wanted = Decimal(written)
        except InvalidOperation:
            return as_text(value) == written
        return wanted.is_finite() and value == (wanted if isinstance(value, int) else float(wanted))
    return as_text(value) == written


def analytics_tables(
    migrated: Migrated, configuration: Configuration, make: Callable[..., "Table"]
) -> dict[tuple[str, str], "Table"]:
    """Return every table of heap_analytics, and the segments as tables of the schema with migrations."""
    everything = [{**row, "event_table_name": name} for name in migrated.names.values() for row in migrated.rows(name)]
    sessions = migrated.rows(migrated.names.get("sessions"), texts=TEXTS)
    users = migrated.tables.get("users") or make({"user_id": "BIGINT"}, [])

    def channel_of(session: dict) -> str:
        return channel(session, configuration.channel_rules, configuration.own_domains)

    def tables_of(events: Iterable[str]) -> list[str]:
        return [migrated.table_of(event) or event for event in events]

    of_users = heap_users(rows_of(users), sessions, channel_of)
    initial = [column for column in (of_users[0] if of_users else {}) if column not in users.columns]
    models: dict[str, list] = {
        "heap_events": heap_events(
            everything, tables_of(configuration.funnel_events), tables_of(configuration.conversion_events)
        ),
        "heap_pageviews": heap_pageviews(
            migrated.rows(migrated.names.get("pageviews"), texts=TEXTS), configuration.session_gap
        ),
    }
    events = models["heap_events"]
    models["heap_sessions"] = heap_sessions(sessions, events, channel_of)
    weights = configuration.attribution
    models["attribution"] = attribution(
        events, models["heap_sessions"], weights.lookback, weights.half_life, weights.max_touches
    )
    models["attribution_by_channel"] = [
        (*key, weight) for key, weight in attribution_by_channel(models["attribution"]).items()
    ]
    models["retention"] = retention([(row["user_id"], row["time"]) for row in sessions])
    models["paths"] = paths(events)
    models["trends"] = trends(events)
    models["funnel_users"], models["funnel_steps"] = _funnels(migrated, configuration.funnels)
    declared = {model.name: {column.name: column.type.duckdb for column in model.columns} for model in ANALYTICS}
    tables = {name: _table(make, declared[name], rows) for name, rows in models.items()}
    tables["heap_users"] = _users_table(make, users, of_users, declared["heap_users"], initial)
    return {("heap_analytics", name): table for name, table in tables.items()} | {
        ("main_production_migrated", f"segment_{segment.name}"): make(
            {"user_id": "BIGINT"}, _segment(migrated, segment, users)
        )
        for segment in configuration.segments
    }


def _table(make: Callable[..., "Table"], columns: dict[str, str], rows: Sequence) -> "Table":
    return make(columns, [row if isinstance(row, tuple) else tuple(row[column] for column in columns) for row in rows])


def _users_table(make, users: "Table", rows: list[dict], declared: dict[str, str], initial: list[str]) -> "Table":
    ours = {column: kind for column, kind in declared.items() if column != "user_id"}
    own = [column for column in users.columns if column != "user_id"]
    names = {"user_id": "user_id"} | published_names(own, keeping=(), ours=["user_id", *ours])
    columns = {names[column]: kind for column, kind in users.columns.items()} | ours
    assert not rows or set(initial) == set(ours)
    return make(columns, [tuple(row[column] for column in (*users.columns, *ours)) for row in rows])


def _segment(migrated: Migrated, segment: Segment, users: "Table") -> list[tuple[int]]:
    def doers(event: str) -> set[int]:
        return {row["user_id"] for row in migrated.rows(migrated.table_of(event))}

    return [
        (row["user_id"],)
        for row in rows_of(users)
        if fits(row, segment.where)
        and (segment.did is None or row["user_id"] in doers(segment.did))
        and (segment.did_not is None or row["user_id"] not in doers(segment.did_not))
    ]


def _funnels(migrated: Migrated, funnels: Sequence[Funnel]) -> tuple[list[dict], list[dict]]:
    reached, steps = [], []
    for funnel in funnels:
        names = [step.event for step in funnel.steps]
        occurrences = [
            occurrence
            for number, step in enumerate(funnel.steps, start=1)
            for occurrence in _occurrences(migrated, funnel, number, step)
        ]
        own = funnel_users(occurrences, funnel.name, names, funnel.window, within_session=funnel.scope == "session")
        reached += own
        steps += funnel_steps(own, funnel.name, names, grouped=funnel.group_by is not None)
    return reached, steps


def _occurrences(migrated: Migrated, funnel: Funnel, number: int, step: Step) -> list[dict]:
    name = migrated.table_of(step.event)
    if name is None:
        return []
    table = migrated.tables[name]
    users = {row["user_id"]: row for row in rows_of(migrated.tables["users"])} if "users" in migrated.tables else {}
    occurrences = []
    for row in rows_of(table):
        if not fits(row, step.where):
            continue
        occurrence = {
            "heap_user_id": row["user_id"],
            "heap_session_id": row.get("session_id"),
            "heap_event_id": row["event_id"],
            "time": row["time"],
            "step": number,
        }
        if funnel.group_by is not None and number == 1:
            owner = row if has(table, funnel.group_by) else users.get(row["user_id"], {})
            value = found(owner, funnel.group_by)
            occurrence["group_value"] = None if value is None else as_text(value)
        occurrences.append(occurrence)
    return occurrences
