"""Drawn data files: which columns a file of a table has, in which types, and its cells.

Here: one file from one throw of dice. Not here: which files a dump lists (strategies.py).
"""

from heap_assets_tests.exports import pools
from heap_assets_tests.exports.description import Field, File
from heap_assets_tests.exports.dice import Dice

CODECS = ("null", "snappy", "deflate", "zstandard", "bzip2")
_NAMES = ("part-00000-c000.avro", "0_a97432.avro", "a%20b+c.avro", "ü x.avro")
_MOST_COLUMNS = 4
# A cell is null once in so many times.
_NULLS = (9, 4, 25, 1, 9, 9)
_NULLS_OF_KEYS = (99, 12, 99, 25, 99, 6, 99, 99, 25, 1)

_ID_TYPES = ("long", "long", "long", "string")
_TIME_TYPES = ("string", "long", *pools.TIMESTAMPS, "string", "timestamp-nanos")
_ANY_TYPES = ("string", "long", "double", "boolean", "int", "float", "string", "null")
_LATER_TYPES = ("timestamp-micros", "string", "long", *pools.TIMESTAMPS[1:], "boolean")
_TEXT = ("string",)

TABLE_NAMES = (
    "signup",
    "pageviews",
    "sessions",
    "Signup",
    "SIGNUP",
    "signup_2",
    "_odd__name_",
    "all_events",
    "identity_map",
    "_quarantine",
    "Users",
    "_Sync_Info",
)

# column: (types, the first being the plainest; cells by type)
_USER_ID = (_ID_TYPES, pools.ids(pools.USERS))
_EVENT_ID = (_ID_TYPES, pools.ids(pools.FEW))
_TIME = (_TIME_TYPES, pools.TIMES)
_ANY = (_ANY_TYPES, pools.VALUES)
_NAME = (_TEXT, {"string": (*TABLE_NAMES, "users", "user_migrations", "never_listed")})

_REQUIRED = {
    "users": {"user_id": _USER_ID},
    "user_migrations": {"from_user_id": _USER_ID, "to_user_id": _USER_ID},
    "sessions": {"event_id": _EVENT_ID, "user_id": _USER_ID, "session_id": _EVENT_ID, "time": _TIME},
    "_event_metadata": {"table_name": _NAME},
    "_sync_info": {"event_table_name": _NAME},
    "_sync_history": {"status": _ANY},
    "_dropped_tables": {"event_table_name": _NAME},
}
_REQUIRED_OF_EVENTS = {"event_id": _EVENT_ID, "user_id": _USER_ID, "time": _TIME}

_OPTIONAL = {
    "users": {
        "last_modified": _TIME,
        "joindate": _TIME,
        "identity": (_TEXT, pools.VALUES),
        "email": (_TEXT, pools.VALUES),
        "plan": _ANY,
        "handle": (("string", "long"), pools.VALUES),
        "Email": (_TEXT, pools.VALUES),
        "USER_ID": (_ID_TYPES, pools.ids(pools.USERS)),
        "tier": (_TEXT, pools.VALUES),
        "session_time": _ANY,
    },
    "user_migrations": {"time": _TIME, "plan": _ANY},
    "_event_metadata": {
        "ui_name": (_TEXT, pools.VALUES),
        "last_updated_at": (("string", "long"), pools.TIMES),
        "verified_at": (("string",), pools.TIMES),
        "notes": _ANY,
        "UI_NAME": (_TEXT, pools.VALUES),
    },
    "_sync_info": {
        "sync_started": _TIME,
        "sync_ended": _TIME,
        "synced_to_time": _TIME,
        "inserted_row_count": (("long", "string", "int"), pools.ids(pools.FEW)),
    },
    "_sync_history": {"error": _ANY},
    "_dropped_tables": {"dropped_at": (("string", "timestamp-micros"), pools.TIMES), "Dropped_at": _ANY},
}
_OPTIONAL_OF_EVENTS = {
    "session_id": _EVENT_ID,
    "plan": _ANY,
    "price": _ANY,
    "Price": _ANY,
    "referrer": (_TEXT, pools.VALUES),
    "seen_at": (_LATER_TYPES, pools.VALUES | {"string": pools.TIMES["string"]}),
    "PRICE": _ANY,
    "price_2": _ANY,
    "ip": (_TEXT, pools.VALUES),
    "IP": (_TEXT, pools.VALUES),
    "original_user_id": (_ID_TYPES, pools.ids(pools.USERS)),
    "event_table_name": (_TEXT, pools.VALUES),
    "tier": (_TEXT, pools.VALUES),
    "session_time": _ANY,
}
_OPTIONAL["sessions"] = {
    "utm_medium": (_TEXT, pools.VALUES),
    "referrer": (_TEXT, pools.VALUES),
    "landing_page_query": (("string", "long"), pools.VALUES),
    "city": (_TEXT, pools.VALUES),
    "plan": _ANY,
    "ip": (_TEXT, pools.VALUES),
    "IP": (_TEXT, pools.VALUES),
    "browser": _ANY,
    "session_time": _ANY,
}
_OPTIONAL["pageviews"] = {
    "session_id": _EVENT_ID,
    "plan": _ANY,
    "previous_page": (_TEXT, pools.VALUES),
    "heap_previous_page": _ANY,
    "title": _ANY,
    "Price": _ANY,
    "PRICE": _ANY,
    "original_user_id": (_ID_TYPES, pools.ids(pools.USERS)),
    "tier": (_TEXT, pools.VALUES),
    "session_time": _ANY,
}


def columns_of(table: str) -> tuple[str, ...]:
    """Return every column that a drawn file of this table may have."""
    return (*_REQUIRED.get(table, _REQUIRED_OF_EVENTS), *_OPTIONAL.get(table, _OPTIONAL_OF_EVENTS))


def drawn_file(dice: Dice, table: str, place: int, modified: int) -> File:
    """Return the file at this place of a table's list."""
    height = dice.pick((1, 2, 3, 4, 5, 0))
    required = _REQUIRED.get(table, _REQUIRED_OF_EVENTS)
    columns = _drawn_columns(dice, table, height)
    fields, cells = [], []
    for name, (types, values) in columns.items():
        nulls = dice.pick(_NULLS_OF_KEYS if name in required else _NULLS)
        field, column = _drawn_column(dice, name, dice.pick(types), values, (height, nulls))
        fields.append(field)
        cells.append(column)
    if table == "_sync_info":
        cells[0] = list(dict.fromkeys(cells[0]))  # one row per table
        cells = [column[: len(cells[0])] for column in cells]
    form = dice.pick(("avro", "json", "jsonl")) if table == "_event_metadata" else "avro"
    return File(
        name=f"{place}_{dice.pick(_NAMES)}",
        fields=tuple(fields),
        rows=tuple(zip(*cells, strict=True)),
        modified=modified,
        codec=dice.pick(CODECS),
        form=form,
    )


def _drawn_columns(dice: Dice, table: str, height: int) -> dict[str, tuple]:
    required = _REQUIRED.get(table, _REQUIRED_OF_EVENTS)
    columns = {} if height == 0 and dice.once_in(3) else dict(required)
    optional = _OPTIONAL.get(table, _OPTIONAL_OF_EVENTS)
    names = tuple(optional)
    for _ in range(dice.pick(range(_MOST_COLUMNS + 1))):
        # The first names are the ones with a meaning: half of the time one of them.
        name = dice.pick(names[:2]) if dice.once_in(2) else dice.pick(names)
        columns[name] = optional[name]
    return columns or dict(required)


def _drawn_column(dice: Dice, name: str, avro_type: str, values: dict, shape: tuple[int, int]) -> tuple[Field, list]:
    height, nulls = shape
    pool = values.get(avro_type)
    cells = [None if pool is None or dice.once_in(nulls) else dice.pick(pool) for _ in range(height)]
    union = dice.pick(("null_first", "null_last", "bare"))
    return Field(name, avro_type, "null_first" if union == "bare" and None in cells else union), cells
