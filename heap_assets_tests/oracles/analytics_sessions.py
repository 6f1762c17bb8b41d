"""heap_events, heap_sessions and heap_users by a plain reading of the contract, one user after another.

Here: places in order, counts, ends, the first session. Not here: channels (analytics_channels.py), which are handed in.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from heap_assets_tests.oracles.typing_rules import EPOCH

LOOK = timedelta(days=14)
ARRIVAL = (
    "landing_page",
    "landing_page_query",
    "landing_page_hash",
    "browser",
    "utm_source",
    "utm_campaign",
    "utm_medium",
    "utm_term",
    "utm_content",
)
INITIAL = (
    "landing_page",
    "utm_source",
    "utm_campaign",
    "utm_medium",
    "utm_term",
    "utm_content",
    "device_type",
    "platform",
    "browser",
    "country",
    "region",
    "city",
)


def age(time: datetime | None) -> tuple[bool, datetime]:
    """Return what times are ordered by: null is last."""
    return (time is None, time or EPOCH)


def heap_events(all_events: list[dict], funnel_events: list[str], conversion_events: list[str]) -> list[dict]:
    """Return a row per row that is not a session."""
    found = []
    for row in all_events:
        table = row["event_table_name"]
        if table == "sessions":
            continue
        place = funnel_events.index(table) + 1 if table in funnel_events else 0
        found.append(
            {
                "heap_event_id": row["event_id"],
                "heap_user_id": row["user_id"],
                "heap_session_id": row["session_id"],
                "heap_event_name": "pageview" if table == "pageviews" else table,
                "heap_event_time": row["time"],
                "heap_session_event_sequence": None,
                "heap_event_funnel_position": place,
                "heap_event_is_conversion": table in conversion_events,
            }
        )
    for user, session in {(row["heap_user_id"], row["heap_session_id"]) for row in found}:
        together = [row for row in found if (row["heap_user_id"], row["heap_session_id"]) == (user, session)]
        together.sort(key=lambda row: (age(row["heap_event_time"]), row["heap_event_id"], row["heap_event_name"]))
        for sequence, row in enumerate(together, start=1):
            row["heap_session_event_sequence"] = None if session is None else sequence
    return found


def heap_sessions(sessions: list[dict], events: list[dict], channel_of: Callable[[dict], str]) -> list[dict]:
    """Return a row per session; ``events`` are rows of heap_events."""
    found = []
    for user in {session["user_id"] for session in sessions}:
        own = [session for session in sessions if session["user_id"] == user]
        own.sort(key=lambda session: (age(session["time"]), session["session_id"]))
        for sequence, session in enumerate(own, start=1):
            mine = [
                event
                for event in events
                if (event["heap_user_id"], event["heap_session_id"]) == (user, session["session_id"])
            ]
            times = [event["heap_event_time"] for event in mine if event["heap_event_time"]]
            start = session["time"]
            found.append(
                {
                    "heap_session_id": session["session_id"],
                    "heap_user_id": user,
                    "heap_session_sequence_num": sequence,
                    "heap_session_start_time": start,
                    "heap_session_end_time": max([*times, *([start] if start else [])], default=None),
                    "heap_session_event_count": len(mine),
                    "heap_session_conversion_lookback_14d": start - LOOK if start else None,
                    "heap_session_conversion_lookforward_14d": start + LOOK if start else None,
                    **{f"heap_session_{name}": session.get(name) for name in ("country", "region", "city", "ip")},
                    "heap_session_referrer": referrer(session),
                    **{f"heap_session_{name}": session.get(name) for name in ARRIVAL},
                    "heap_session_defined_channel_attribution": channel_of(session),
                    "heap_session_is_conversion": any(event["heap_event_is_conversion"] for event in mine),
                }
            )
    return found


def heap_users(users: list[dict], sessions: list[dict], channel_of: Callable[[dict], str]) -> list[dict]:
    """Return a row per user with what is known of the first session."""
    found = []
    for user in users:
        own = [session for session in sessions if session["user_id"] == user["user_id"]]
        first = min(own, key=lambda session: (age(session["time"]), session["session_id"]), default=None)
        found.append(
            {
                **user,
                "initial_session_time": first and first["time"],
                "initial_referrer": first and referrer(first),
                **{f"initial_{name}": first and first.get(name) for name in INITIAL},
                "initial_marketing_channel": first and channel_of(first),
            }
        )
    return found


def referrer(session: dict) -> str | None:
    """Return the referrer; null for direct."""
    text = session.get("referrer")
    return None if text in {"", "direct"} else text
