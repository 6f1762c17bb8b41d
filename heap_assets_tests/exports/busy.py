"""Drawn exports in which a few people do much: dense enough for funnels, sessions, conversions and paths to fill.

Everything is well formed; what is odd about files, types and names is drawn elsewhere (strategies.py). Times meet on a
grid of seconds and half hours, so that ties and gaps of exactly 30 minutes happen.
"""

import json

from hypothesis import strategies as st

from heap_assets_tests.exports.description import Dump, File
from heap_assets_tests.exports.dice import Dice
from heap_assets_tests.exports.pools import DAY, FIRST, SECOND
from heap_assets_tests.exports.shorthand import data_file, dump, full

_MANY = st.binary(min_size=900, max_size=900)
_USERS = (1, 2, 3)
_SESSIONS = (10, 11, 12, None, 10)
_STEPS = (0, 1, 5, 1800, 1801, 60, 0, 90_000, 700_000)
_PLANS = ("gold", "free", None, "gold")
_SOURCES = ("google", None, "facebook", "mail")
_REFERRERS = (None, "https://www.google.com/x", "https://a.shop.example/", "", "direct", "https://news.example")
_DEFINITIONS = json.dumps(
    [
        {
            "property_name": name,
            "type": kind,
            "cases": [
                {
                    "value": {"type": "constant", "value": "high"},
                    "condition": {"clauses": {"A": {"property_name": column, "operator": "=", "value": "gold"}}},
                }
            ],
            "default_value": {"type": "constant", "value": "low"},
        }
        for name, kind, column in (("tier", "user", "plan"), ("level", "event", "plan"))
    ]
)

CONFIGURATION = {
    "session_gap": "30m",
    "own_domains": ["shop.example"],
    "funnel_events": ["view", "add", "order"],
    "conversion_events": ["order"],
    "funnels": [
        {"name": "all", "steps": ["view", "add", "order"]},
        {"name": "hour", "steps": ["view", "add", "order"], "window": "1h", "group_by": "plan"},
        {"name": "visit", "steps": ["pageviews", {"event": "add", "where": {"plan": "gold"}}], "scope": "session"},
        {"name": "tiers", "steps": ["view", "order", "view"], "group_by": "tier"},
        {"name": "levels", "steps": ["view", "view"], "group_by": "level", "window": "30m"},
    ],
    "segments": [
        {"name": "buyers", "did": "order"},
        {"name": "idle", "where": {"tier": "high"}, "did_not": "add"},
    ],
    "attribution": {"lookback": "14d", "half_life": "7d"},
}


@st.composite
def busy_exports(draw: st.DrawFn) -> tuple[Dump, ...]:
    """Draw two to four dumps of users, merges, sessions, pageviews and three events."""
    throw = Dice(draw(_MANY))
    return tuple(_dump(throw, number, last=number == 3) for number in range(1, throw.pick((3, 4, 2)) + 1))


def _dump(throw: Dice, number: int, *, last: bool) -> Dump:
    tables: dict[str, object] = {
        name: _events(throw, name, number) for name in ("pageviews", "view", "add", "order") if not throw.once_in(6)
    }
    tables["sessions"] = data_file(
        "event_id:long session_id:long user_id:long time:timestamp-micros utm_source referrer",
        *(
            (session, session, throw.pick(_USERS), _time(throw), throw.pick(_SOURCES), throw.pick(_REFERRERS))
            for session in (10, 11, 12, 13)
            if not throw.once_in(3)
        ),
    )
    users = [(user, throw.pick(_PLANS), FIRST + number) for user in _USERS if not throw.once_in(4)]
    tables["users"] = data_file("user_id:long plan last_modified:long", *users)
    if last:
        tables["user_migrations"] = full("user_migrations", data_file("from_user_id:long to_user_id:long", (1, 2)))
    return dump(number, tables, definitions=_DEFINITIONS if throw.once_in(2) else None)


def _events(throw: Dice, name: str, number: int) -> File:
    rows = [
        (
            number * 100 + place if not throw.once_in(5) else 100 + place,
            throw.pick(_USERS),
            throw.pick(_SESSIONS),
            None if throw.once_in(15) else _time(throw),
            throw.pick(_PLANS),
        )
        for place in range(throw.pick((6, 3, 9)))
    ]
    return data_file("event_id:long user_id:long session_id:long time:timestamp-micros plan", *rows)


def _time(throw: Dice) -> int:
    return (
        FIRST + throw.pick(_STEPS) * SECOND + throw.pick((0, 0, 1, 3, 5, 1800)) * SECOND + throw.pick((0, 0, 9)) * DAY
    )
