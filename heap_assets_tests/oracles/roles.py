"""Which tables are Heap's own, and which of their columns are ids, times, keys or required.

Here: facts of the contract as lists. Not here: what is done with them.
"""

SYSTEM_TABLES = ("_event_metadata", "_sync_info", "_sync_history", "_dropped_tables")
REPLACED_BY_EACH_DELIVERY = ("user_migrations", "_event_metadata")

EVENT_METADATA_COLUMNS = (
    "table_name",
    "ui_name",
    "last_updated_at",
    "last_updated_by",
    "notes",
    "source",
    "verified_at",
    "verified_by",
)
SYNC_INFO_TIMES = ("sync_started", "sync_ended", "synced_to_time")

BASIC_COLUMNS = ("event_id", "user_id", "session_id", "time")
_DATA_SCHEMA_PAGE = """
    event_id user_id session_id time type library platform device_type country region city ip referrer landing_page
    landing_page_query landing_page_hash browser search_keyword utm_source utm_campaign utm_medium utm_term utm_content
    domain path query hash title href device carrier app_name app_version action_method view_controller screen_a11y_id
    screen_a11y_label target_view_class target_view_name target_a11y_id target_a11y_label target_text heap_device_id
    heap_previous_page heap_app_name heap_app_version heap_device
"""
BUILTIN_COLUMNS = frozenset(_DATA_SCHEMA_PAGE.split())

_ROLES = {
    # table: (required columns, id columns, time columns, key, the time that tells newer from older)
    "users": (("user_id",), ("user_id",), ("time", "joindate", "last_modified"), ("user_id",), "last_modified"),
    "user_migrations": (
        ("from_user_id", "to_user_id"),
        ("from_user_id", "to_user_id"),
        ("time",),
        ("from_user_id",),
        "time",
    ),
    "sessions": (BASIC_COLUMNS, BASIC_COLUMNS[:3], ("time",), ("session_id", "user_id"), "time"),
    "_event_metadata": ((), (), ("last_updated_at", "verified_at"), (), ""),
    "_sync_info": ((), (), SYNC_INFO_TIMES, (), ""),
    "_sync_history": ((), (), (), (), ""),
    "_dropped_tables": ((), (), (), (), ""),
}
_EVENT_ROLES = (("event_id", "user_id", "time"), BASIC_COLUMNS[:3], ("time",), ("event_id", "user_id"), "time")


def is_event_like(table: str) -> bool:
    """Tell whether the rows of this table are in ``all_events``: sessions, pageviews and event tables are."""
    return table not in {"users", "user_migrations", *SYSTEM_TABLES}


def required_columns(table: str) -> tuple[str, ...]:
    """Return the columns that this table always has."""
    return _ROLES.get(table, _EVENT_ROLES)[0]


def id_columns(table: str) -> tuple[str, ...]:
    """Return the columns of this table that are BIGINT whatever is delivered."""
    return _ROLES.get(table, _EVENT_ROLES)[1]


def required_ids(table: str) -> tuple[str, ...]:
    """Return the id columns without which a row is quarantined."""
    return tuple(column for column in required_columns(table) if column in id_columns(table))


def time_columns(table: str) -> tuple[str, ...]:
    """Return the columns of this table that are TIMESTAMP whatever is delivered."""
    return _ROLES.get(table, _EVENT_ROLES)[2]


def key_columns(table: str) -> tuple[str, ...]:
    """Return the key of a row; an empty one means that nothing is de-duplicated."""
    return _ROLES.get(table, _EVENT_ROLES)[3]


def newness_column(table: str) -> str:
    """Return the column whose greatest value wins among the rows of one key and dump."""
    return _ROLES.get(table, _EVENT_ROLES)[4]


def columns_that_keep_their_names(table: str) -> tuple[str, ...]:
    """Return the delivered names that never get a suffix: the required columns and the id columns."""
    documented = EVENT_METADATA_COLUMNS if table == "_event_metadata" else ()
    return tuple({*required_columns(table), *id_columns(table), *documented})
