"""The tables of our own: all_events, identity_map, _quarantine. Name, key, columns and meaning of each, once.

Not here: Heap's tables (heap_tables.py), the models of heap_analytics (models/).
"""

from heap_assets.schema.documented_columns import EVENT_COLUMNS, PAGEVIEW_COLUMNS, SESSION_COLUMNS, Column
from heap_assets.schema.heap_tables import EVENT_METADATA, LONG, SYNC_HISTORY, SYNC_INFO, TEXT, TIME
from heap_assets.schema.model import Model

ALL_EVENTS = Model(
    name="all_events",
    description="Sessions, pageviews and all events in one table; event_table_name says which table a row is from.",
    key=("event_table_name", "event_id", "user_id"),
    columns=(
        Column("event_table_name", TEXT, "Table that holds the row with all its columns"),
        Column("event_id", LONG, "Id of the event, session or pageview"),
        Column("user_id", LONG, "User"),
        Column("session_id", LONG, "Session; null for events outside one"),
        Column("time", TIME, "When it happened (UTC)"),
    ),
)
IDENTITY_MAP = Model(
    name="identity_map",
    description="Which user each merged user id finally became: user_migrations followed to the end of every chain.",
    key=("user_id",),
    columns=(
        Column("user_id", LONG, "A user id that was merged into another"),
        Column("resolved_user_id", LONG, "The user that it finally became"),
    ),
)
QUARANTINE = Model(
    name="_quarantine",
    description="Delivered rows that lack an id they need; they are in no other table.",
    key=("table_name", "dump_id", "file", "row_number"),
    columns=(
        Column("table_name", TEXT, "Table for which the row was delivered"),
        Column("dump_id", LONG, "Dump that delivered it"),
        Column("file", TEXT, "File, as the manifest names it"),
        Column("row_number", LONG, "Row in that file, from 1"),
        Column("reason", TEXT, "What it lacks"),
        Column("row", TEXT, "The row as JSON"),
    ),
)
ORIGINAL_USER_ID = Column("original_user_id", LONG, "User id that Heap recorded, before merges")
EVENT_TABLE_NAME = "event_table_name"
BASIC_COLUMNS = tuple(column.name for column in ALL_EVENTS.columns)
BUILT_IN_EVENT_COLUMNS = frozenset(
    column.name for columns in (SESSION_COLUMNS, PAGEVIEW_COLUMNS, EVENT_COLUMNS) for column in columns
)
"""Columns that Heap's data schema page names for sessions, pageviews and event tables, in lower case."""
OURS_IN_S = (ALL_EVENTS.name, QUARANTINE.name, SYNC_INFO.kind, SYNC_HISTORY.kind, EVENT_METADATA.kind)
"""Tables that the schema without migrations always has."""

MODELS = {model.name: model for model in (ALL_EVENTS, IDENTITY_MAP, QUARANTINE)}
