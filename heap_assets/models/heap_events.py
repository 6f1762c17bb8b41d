"""heap_events: one row per pageview and event.

Source: the models of Heap's dbt project for name and intent; CONTRACT section 4. Not here: the rule
(transforms/analytics/events.py).
"""

from dataclasses import dataclass

import polars as pl

from heap_assets.models.model_columns import HEAP_USER_ID
from heap_assets.models.recipe import CatalogEntry, Frames, Inputs, Read, Recipe
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import BOOLEAN, LONG, SESSIONS, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.events import heap_events

HEAP_EVENTS = Model(
    name="heap_events",
    description="One row per pageview and event of all tables, with its place in its session and in funnel_events.",
    key=("heap_event_name", "heap_event_id", "heap_user_id"),
    columns=(
        Column("heap_event_id", LONG, "Id of the event, made by Heap"),
        HEAP_USER_ID,
        Column("heap_session_id", LONG, "Session; null for events outside one"),
        Column("heap_event_name", TEXT, "Table of the event; pageview for a pageview"),
        Column("heap_event_time", TIME, "When it happened (UTC)"),
        Column("heap_session_event_sequence", LONG, "Place in the user's session, from 1; null without a session"),
        Column("heap_event_funnel_position", LONG, "Place in funnel_events of the configuration, from 1; else 0"),
        Column("heap_event_is_conversion", BOOLEAN, "Whether it is one of conversion_events of the configuration"),
    ),
)

_ALL_EVENTS = {
    "event_table_name": pl.String(),
    "event_id": pl.Int64(),
    "user_id": pl.Int64(),
    "session_id": pl.Int64(),
    "time": pl.Datetime("us"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Params:
    funnel_events: tuple[str, ...]
    conversion_events: tuple[str, ...]


def _recipe(inputs: Inputs) -> Recipe[_Params]:
    tables = (table for table in inputs.event_tables if table != SESSIONS.kind)
    reads = tuple(Read(table=table, ids=("event_id", "session_id", "time")) for table in tables)
    params = _Params(
        funnel_events=tuple(map(inputs.events.table_of, inputs.configuration.funnel_events)),
        conversion_events=tuple(map(inputs.events.table_of, inputs.configuration.conversion_events)),
    )
    return Recipe(model=HEAP_EVENTS, version=1, reads=reads, transform=_rows, params=params)


def _rows(frames: Frames, params: _Params) -> pl.DataFrame:
    read = zip(frames.reads, frames.read_all(frames.reads), strict=True)
    parts = [rows.select(pl.lit(one.table).alias("event_table_name"), *list(_ALL_EVENTS)[1:]) for one, rows in read]
    return heap_events(
        pl.concat([pl.DataFrame(schema=_ALL_EVENTS), *parts]),
        funnel_events=params.funnel_events,
        conversion_events=params.conversion_events,
    )


ENTRY = CatalogEntry(model=HEAP_EVENTS, recipe=_recipe)
