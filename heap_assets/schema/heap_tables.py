"""Every table once: name, key, columns and meaning. Everything else that needs one of these derives it from here.

Here: Heap's tables (users, user_migrations, sessions, pageviews, event tables, system tables). Not here: our own tables
(own_tables.py), which event tables an export has (the lake knows), how a column is stored (stored_columns.py).
Source: Heap's data schema page; keys from CONTRACT section 2.
"""

from dataclasses import dataclass

from heap_assets.schema.documented_columns import EVENT_COLUMNS, PAGEVIEW_COLUMNS, SESSION_COLUMNS, Column
from heap_assets.schema.value_types import ValueType

LONG, TEXT, TIME, DOUBLE, BOOLEAN = (
    ValueType.LONG,
    ValueType.TEXT,
    ValueType.TIME,
    ValueType.DOUBLE,
    ValueType.BOOLEAN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """A table as Heap delivers it.

    Attributes:
        key: Row key; of rows with one key the newest counts. Empty: every row of the current dumps counts.
        required: Ids without which a row is quarantined.
        ids: Columns that are read as BIGINT whatever they came as.
        times: Columns that are read as TIMESTAMP whatever they came as.
        newest_by: The column that decides between rows of one dump.
        columns: Documented columns; an export may have more, and fewer.
        replaced: A delivery replaces the one before, whatever its flag says.
        complete: The published table always has every documented column.
        time_required: A file with rows must have the column ``time``.
    """

    kind: str
    description: str
    key: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    times: tuple[str, ...] = ("time",)
    newest_by: str = "time"
    columns: tuple[Column, ...] = ()
    replaced: bool = False
    complete: bool = False
    time_required: bool = False

    @property
    def is_event_like(self) -> bool:
        """Return whether the rows are sessions, pageviews or events: what all_events is made of."""
        return self.time_required

    def native_type(self, column: str) -> ValueType | None:
        """Return the type that ``column`` has whatever it came as; None if that follows from the values."""
        if column in self.ids:
            return LONG
        return TIME if column in self.times else None

    @property
    def must_have(self) -> tuple[str, ...]:
        """Return the columns without which a file with rows is broken."""
        return (*self.required, "time") if self.time_required else self.required

    @property
    def certain(self) -> tuple[str, ...]:
        """Return the columns that the published table has even if no file does."""
        return tuple(column.name for column in self.columns) if self.complete else self.must_have

    @property
    def entity(self) -> str:
        """Return the first column of the key: what stays when a user's id changes."""
        return self.key[0]


_EVENT_IDS = ("event_id", "user_id", "session_id")

USERS = RawTable(
    kind="users",
    description="One row per user id that Heap recorded, with the properties of that user.",
    key=("user_id",),
    required=("user_id",),
    ids=("user_id",),
    times=("joindate", "last_modified", "time"),
    newest_by="last_modified",
    columns=(
        Column("user_id", LONG, "Id of the user, made by Heap"),
        Column("identity", TEXT, "Your own id of the user, from heap.identify"),
        Column("handle", TEXT, "User name, from heap.addUserProperties"),
        Column("email", TEXT, "E-mail address, from heap.addUserProperties"),
        Column("joindate", TIME, "When the user was first seen (UTC)"),
        Column("last_modified", TIME, "When a property of the user last changed (UTC)"),
    ),
)
USER_MIGRATIONS = RawTable(
    kind="user_migrations",
    description="Which user id was merged into which other one; the last delivery holds all of them.",
    key=("from_user_id",),
    required=("from_user_id", "to_user_id"),
    ids=("from_user_id", "to_user_id"),
    columns=(
        Column("from_user_id", LONG, "The id that was given up"),
        Column("to_user_id", LONG, "The id that it became"),
        Column("time", TIME, "When that happened (UTC); null if Heap does not know"),
    ),
    replaced=True,
)
SESSIONS = RawTable(
    kind="sessions",
    description="One row per session: where it came from and on which device. Server-side sessions are not among them.",
    key=("session_id", "user_id"),
    required=_EVENT_IDS,
    ids=_EVENT_IDS,
    columns=SESSION_COLUMNS,
    time_required=True,
)
PAGEVIEWS = RawTable(
    kind="pageviews",
    description="One row per page viewed on the web, or screen seen in an app.",
    key=("event_id", "user_id"),
    required=("event_id", "user_id"),
    ids=_EVENT_IDS,
    columns=PAGEVIEW_COLUMNS,
    time_required=True,
)
EVENT = RawTable(
    kind="event",
    description="One row per occurrence of this event.",
    key=("event_id", "user_id"),
    required=("event_id", "user_id"),
    ids=_EVENT_IDS,
    columns=EVENT_COLUMNS,
    time_required=True,
)
EVENT_METADATA = RawTable(
    kind="_event_metadata",
    description="Display name, notes and verification of each synced event, as last delivered.",
    times=("last_updated_at", "verified_at", "time"),
    columns=(
        Column("table_name", TEXT, "Table that holds the event"),
        Column("ui_name", TEXT, "Name of the event in Heap"),
        Column("last_updated_at", TIME, "When the event's definition last changed (UTC)"),
        Column("last_updated_by", TEXT, "Who changed it"),
        Column("notes", TEXT, "Notes kept with the event"),
        Column("source", TEXT, "Where the event is captured, such as web or ios"),
        Column("verified_at", TIME, "When the event was verified (UTC)"),
        Column("verified_by", TEXT, "Who verified it"),
    ),
    replaced=True,
    complete=True,
)
SYNC_INFO = RawTable(
    kind="_sync_info",
    description="One row per table: when it was last synced, up to which time, and how many rows came.",
    times=("sync_started", "sync_ended", "synced_to_time", "time"),
    columns=(
        Column("event_table_name", TEXT, "Table"),
        Column("sync_started", TIME, "When its last sync began (UTC)"),
        Column("sync_ended", TIME, "When its last sync ended (UTC)"),
        Column("synced_to_time", TIME, "Time of the newest row that is not in the future (UTC)"),
        Column("inserted_row_count", LONG, "Rows that the last sync delivered"),
    ),
)
SYNC_HISTORY = RawTable(
    kind="_sync_history",
    description="One row per dump: when it was made and how it ended.",
    times=("start_time", "finish_time", "next_scheduled_sync_at", "time"),
    columns=(
        Column("dump_id", LONG, "Number of the dump"),
        Column("status", TEXT, "succeeded, failed or running"),
        Column("start_time", TIME, "When the sync began (UTC)"),
        Column("finish_time", TIME, "When the sync ended (UTC)"),
        Column("error", TEXT, "What Heap said if it failed"),
        Column("next_scheduled_sync_at", TIME, "When Heap means to sync next (UTC)"),
    ),
)
DROPPED_TABLES = RawTable(
    kind="_dropped_tables",
    description="Tables that Heap dropped, as delivered. Heap gave this up in 2023.",
)

BUILT_IN = {
    table.kind: table
    for table in (
        USERS,
        USER_MIGRATIONS,
        SESSIONS,
        PAGEVIEWS,
        EVENT_METADATA,
        SYNC_INFO,
        SYNC_HISTORY,
        DROPPED_TABLES,
    )
}
SYSTEM_TABLES = frozenset({"_event_metadata", "_sync_info", "_sync_history", "_dropped_tables"})


def raw_table(name: str) -> RawTable:
    """Return what is declared of the table that Heap delivers as ``name``; an unknown name is an event table.

    >>> raw_table("users").key, raw_table("order_completed").key
    (('user_id',), ('event_id', 'user_id'))
    """
    return BUILT_IN.get(name, EVENT)
