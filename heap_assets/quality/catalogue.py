"""Every check once: its name, the table kinds it is for, whether it holds back publication, what to do when it fails.

Dagster's checks and the README's table derive from it. Here: declarations. Not here: what is computed
(pipeline/inspect/inspection.py, pipeline/inspect/key_check.py). A check of analytics models is one more declaration.
"""

from collections.abc import Callable
from dataclasses import dataclass

from heap_assets.schema.heap_tables import EVENT, PAGEVIEWS, SESSIONS, RawTable


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCheck:
    """A check of one delivered table.

    Attributes:
        layer: Whose asset it stands on: ``raw`` for what was delivered, ``heap`` for the rows that count.
        applies: Whether a table kind has it.
        blocking: Nothing is published while it fails.
    """

    name: str
    layer: str
    description: str
    applies: Callable[[RawTable], bool] = lambda _: True
    blocking: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionCheck:
    """A check of what conversions are owed to."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityCheck:
    """A check of who became whom."""

    name: str
    description: str


KEY = TableCheck(
    name="key_unique",
    layer="heap",
    description="Each row has a key of its own, and a delivery is not for the most part without ids. Nothing is"
    " published while this fails. Have Heap deliver the dump again, or rebuild, as the message says.",
    blocking=True,
)
SCHEMA = TableCheck(
    name="schema_change",
    layer="raw",
    description="The newest dump has the columns of the one before. Columns that are gone are null from now on; tell"
    " whoever uses them, or have Heap sync the property again.",
)
REQUIRED = TableCheck(
    name="required_columns",
    layer="raw",
    description="The newest dump has the columns that the table needs, and nearly every row has a time. Rows without"
    " one take no part in funnels and attribution.",
)
VOLUME = TableCheck(
    name="volume",
    layer="raw",
    description="The newest dump is between a quarter and four times as large as the median of the last 14. If it is"
    " small, look whether the page still sends the event; if it is large, whether it sends it twice.",
    applies=lambda table: not table.replaced,
)
ROWS = TableCheck(
    name="rows_landed",
    layer="raw",
    description="Every row that the newest dump delivered is in the lake, and as many as Heap says. If not, run"
    " heap_sync with `ops.land.config.reland` for that dump.",
)
RESYNC = TableCheck(
    name="resync",
    layer="raw",
    description="Whether the newest dump replaced the whole table, and by how much its rows changed. Beyond 5 % expect"
    " figures of the past to move; ask Heap what was resynced.",
    applies=lambda table: not table.replaced,
)
TIMES = TableCheck(
    name="times_in_range",
    layer="heap",
    description="Times of the newest dump lie between 2010 and a day after it. A few are wrong clocks of clients; many"
    " mean that a time column changed its unit.",
)
KNOWN_SESSIONS = TableCheck(
    name="known_sessions",
    layer="heap",
    description="Events of the newest dump belong to sessions that were delivered. Beyond a quarter, sessions are"
    " missing: see whether the sessions table is fresh, or have it resynced. Server-side events have none.",
    applies=lambda table: table in {PAGEVIEWS, EVENT},
)
KNOWN_USERS = TableCheck(
    name="known_users",
    layer="heap",
    description="Sessions of the newest dump belong to users that were delivered. Beyond a quarter, users are missing:"
    " see whether the users table is fresh, or have it resynced.",
    applies=lambda table: table is SESSIONS,
)
TABLE_CHECKS = (KEY, SCHEMA, REQUIRED, VOLUME, ROWS, RESYNC, TIMES, KNOWN_SESSIONS, KNOWN_USERS)

CYCLES = IdentityCheck(
    name="cycles",
    description="Migrations that lead in a circle. The newest edge is left out; if there are many, ask Heap.",
)
CONFLICTS = IdentityCheck(
    name="conflicting_migrations",
    description="Users that were merged into more than one other user. The newest migration counts.",
)
FAN_IN = IdentityCheck(
    name="fan_in",
    description="One person made of thousands of users, or with an identity such as 'undefined' or 'null': a page calls"
    " heap.identify before it knows who it is. Mend the page, and have Heap split the user.",
)
IDENTITY_CHECKS = (CYCLES, CONFLICTS, FAN_IN)

TOUCHES = AttributionCheck(
    name="touches_counted",
    description="All touches of each conversion count. Of more than `attribution.max_touches` the first and the newest"
    " others do, under every model: the users are named; see whether they are people, or raise `max_touches`.",
)


def checks_of(table: RawTable) -> tuple[TableCheck, ...]:
    """Return the checks that a table kind has.

    >>> from heap_assets.schema.heap_tables import USER_MIGRATIONS
    >>> [check.name for check in checks_of(USER_MIGRATIONS)][:3]
    ['key_unique', 'schema_change', 'required_columns']
    """
    return tuple(check for check in TABLE_CHECKS if check.applies(table))
