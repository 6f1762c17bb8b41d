"""Analytics configurations for drawn exports: one that every test of whole tables runs with, and drawn ones.

Their names and values are those that drawn exports consist of (exports/files.py, exports/pools.py).
"""

import json

from hypothesis import strategies as st

from heap_assets.config.load import configuration_from_text
from heap_assets.config.model import Configuration
from heap_assets_tests.exports.dice import Dice, many_dice

_EVENTS = ("signup", "pageviews", "sessions", "Signup", "SIGNUP", "a", "Sign up!", "never_listed", "Page - Views (any)")
_COLUMNS = ("plan", "tier", "price", "PRICE", "email", "original_user_id", "lacking", "user_id", "channel", "status")
_VALUES = ("a", "5", 5, 5.0, True, "b", "yes", "2024-03-10", "1")
_WINDOWS = ("5s", None, "1d", "400d", "4s")

EVERYTHING = {
    "own_domains": ["a", "b"],
    "session_gap": "5s",
    "funnel_events": ["signup", "pageviews", "Signup", "a"],
    "conversion_events": ["signup", "Sign up!", "never_listed"],
    "funnels": [
        {"name": "to_signup", "steps": ["pageviews", "signup"], "window": "5s"},
        {"name": "by_tier", "steps": ["signup", "signup"], "group_by": "tier"},
        {"name": "visits", "steps": ["sessions", {"event": "pageviews", "where": {"plan": "a"}}], "scope": "session"},
    ],
    "segments": [
        {"name": "a_plan", "where": {"plan": "a"}},
        {"name": "lookers", "did_not": "signup", "did": "sessions"},
    ],
    "attribution": {"lookback": "400d", "half_life": "1d", "max_touches": 3},
}


def configuration_of(keys: dict) -> Configuration:
    """Return the configuration that these keys say."""
    return configuration_from_text(json.dumps(keys), name="heap.yaml")


@st.composite
def configurations(draw: st.DrawFn) -> dict:
    """Draw the keys of a configuration with funnels, segments, channels and conversions."""
    throw = many_dice(draw)
    keys: dict = {
        "own_domains": [throw.pick(("a", "b", "direct"))],
        "session_gap": throw.pick(("5s", "30m", "4s", "2d")),
        "funnel_events": list(dict.fromkeys(throw.pick(_EVENTS) for _ in range(throw.pick((2, 3, 0))))),
        "conversion_events": [throw.pick(_EVENTS) for _ in range(throw.pick((1, 2, 3)))],
        "funnels": [_funnel(throw, f"funnel {number}") for number in range(throw.pick((2, 1, 3)))],
        "segments": [_segment(throw, f"s{number}") for number in range(throw.pick((1, 2, 0)))],
        "attribution": {
            "lookback": throw.pick(("14d", "400d", "5s")),
            "half_life": throw.pick(("7d", "2s")),
            "max_touches": throw.pick((100, 2, 3)),
        },
    }
    if throw.once_in(2):
        keys["channels"] = [_channel(throw, f"channel {number}") for number in range(throw.pick((1, 2)))]
    return keys


def _funnel(throw: Dice, name: str) -> dict:
    found: dict = {"name": name, "steps": [_step(throw) for _ in range(throw.pick((2, 3, 1)))]}
    if (window := throw.pick(_WINDOWS)) is not None:
        found["window"] = window
    if throw.once_in(3):
        found["scope"] = "session"
    if throw.once_in(2):
        found["group_by"] = throw.pick(_COLUMNS)
    return found


def _step(throw: Dice) -> object:
    event = throw.pick(_EVENTS)
    return {"event": event, "where": _where(throw)} if throw.once_in(3) else event


def _where(throw: Dice) -> dict:
    return {throw.pick(_COLUMNS): throw.pick(_VALUES) for _ in range(throw.pick((1, 1, 2)))}


def _segment(throw: Dice, name: str) -> dict:
    found: dict = {"name": name}
    kind = throw.pick(("where", "did", "did_not", "all"))
    if kind in {"where", "all"}:
        found["where"] = _where(throw)
    for condition in ("did", "did_not"):
        if kind in {condition, "all"}:
            found[condition] = throw.pick(_EVENTS)
    return found


def _channel(throw: Dice, name: str) -> dict:
    field = throw.pick(("referrer", "utm_medium", "utm_source", "landing_page_query"))
    condition = throw.pick(({"contains": "A"}, {"equals": "b"}, {"is_null": True}, {"contains_any": ["5", "ä"]}))
    return {"name": name, field: condition}
