"""Tables after identity resolution, and ``all_events`` across tables, by delivered column names.

Here: the merge rules of section 4. Not here: published names and reduced column sets (tables.py).
A column of ours is named with a leading colon, which no delivered column can have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from heap_assets_tests.oracles import roles
from heap_assets_tests.oracles.truth import Row, Truth, newest
from heap_assets_tests.oracles.typing_rules import EPOCH, in_type, resolved_type

ORIGINAL_USER_ID = ":original_user_id"
EVENT_TABLE_NAME = ":event_table_name"
_GREATEST_OF_USERS = ("last_modified", "identity", "handle", "email")


@dataclass(frozen=True)
class Relation:
    """Columns with their types, and rows."""

    columns: dict[str, str]
    rows: list[dict[str, object]]


def migrated_events(table: Truth, resolved: Mapping[int, int]) -> Relation:
    """Return sessions, pageviews or an event table with resolved users, de-duplicated after the resolution."""
    rows = [
        Row(row.rank, row.values | {"user_id": resolved.get(user, user), ORIGINAL_USER_ID: user})
        for row in table.rows
        for user in [row.values["user_id"]]
    ]
    winners = newest(rows, roles.key_columns(table.name))
    return Relation(table.columns | {ORIGINAL_USER_ID: "BIGINT"}, [row.values for row in winners])


def migrated_users(table: Truth, resolved: Mapping[int, int]) -> Relation:
    """Return one row per resolved user that has a row."""
    groups: dict[int, list[dict[str, object]]] = {}
    for row in table.rows:
        user = row.values["user_id"]
        groups.setdefault(resolved.get(user, user), []).append(row.values)
    merged = [
        {column: user if column == "user_id" else _merged(column, user, rows) for column in table.columns}
        for user, rows in groups.items()
    ]
    return Relation(table.columns, merged)


def _merged(column: str, resolved_user: int, rows: Sequence[dict[str, object]]) -> object:
    filled = [row for row in rows if row[column] is not None]
    if not filled:
        return None
    if column == "joindate":
        return min(row[column] for row in filled)
    if column in _GREATEST_OF_USERS:
        return max(row[column] for row in filled)

    def newness(row: dict[str, object]) -> tuple:
        time = row.get("last_modified")
        return (time is not None, time or EPOCH, row["user_id"] == resolved_user, row["user_id"])

    return max(filled, key=newness)[column]


def all_events(
    parts: Mapping[str, Relation],
    truths: Mapping[str, Truth],
    names: Mapping[str, str],
    ours: Mapping[str, str],
) -> Relation:
    """Return the rows of all event-like tables under one another, each column in the type that holds all its values."""
    columns = dict.fromkeys(roles.BASIC_COLUMNS, "BIGINT") | {"time": "TIMESTAMP"} | ours
    for relation in parts.values():
        for column in relation.columns:
            typed_by = [table for table in parts if column in truths[table].declared]
            columns.setdefault(column, resolved_type({truths[table].columns[column] for table in typed_by}))
    rows = []
    for table, relation in parts.items():
        for row in relation.rows:
            wide = dict.fromkeys(columns) | {EVENT_TABLE_NAME: names[table]}
            for column, value in row.items():
                same = relation.columns[column] == columns[column]
                wide[column] = value if same else in_type(value, columns[column])
            rows.append(wide)
    return Relation(columns, rows)
