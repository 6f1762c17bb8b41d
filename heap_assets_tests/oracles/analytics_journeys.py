"""retention, paths and trends by a plain reading of the contract."""

from collections import defaultdict
from datetime import date, datetime, timedelta


def retention(sessions: list[tuple[int, datetime | None]]) -> list[tuple]:
    """Return period, cohort, periods_since, users, cohort_size and rate; a session is a user and a start."""
    found = []
    for period in ("week", "month"):
        active: dict[int, set[date]] = defaultdict(set)
        for user, start in sessions:
            if start is not None:
                active[user].add(_begin(start.date(), period))
        first = {user: min(periods) for user, periods in active.items()}
        for cohort in set(first.values()):
            members = [user for user in first if first[user] == cohort]
            for since in range(_since(max(max(active[user]) for user in members), cohort, period) + 1):
                users = sum(any(_since(one, cohort, period) == since for one in active[user]) for user in members)
                if users:
                    found.append((period, cohort, since, users, len(members), users / len(members)))
    return found


def _begin(day: date, period: str) -> date:
    return day - timedelta(days=day.weekday()) if period == "week" else day.replace(day=1)


def _since(day: date, cohort: date, period: str) -> int:
    if period == "week":
        return (day - cohort).days // 7
    return (day.year - cohort.year) * 12 + day.month - cohort.month


def paths(events: list[dict]) -> list[tuple]:
    """Return step_1 to step_5, users and sessions; ``events`` are rows of heap_events."""
    sessions = defaultdict(list)
    for event in events:
        if event["heap_session_id"] is not None:
            sessions[event["heap_user_id"], event["heap_session_id"]].append(event)
    begun = defaultdict(list)
    for (user, _), rows in sessions.items():
        rows.sort(key=lambda row: row["heap_session_event_sequence"])
        if len(rows) >= 5:
            begun[tuple(row["heap_event_name"] for row in rows[:5])].append(user)
    return [(*names, len(set(users)), len(users)) for names, users in begun.items()]


def trends(events: list[dict]) -> list[tuple]:
    """Return day, event_name, users, events and sessions; ``events`` are rows of heap_events."""
    by_day = defaultdict(list)
    for event in events:
        if event["heap_event_time"] is not None:
            by_day[event["heap_event_time"].date(), event["heap_event_name"]].append(event)
    found = []
    for (day, name), rows in by_day.items():
        users = {row["heap_user_id"] for row in rows}
        sessions = {(row["heap_user_id"], row["heap_session_id"]) for row in rows if row["heap_session_id"] is not None}
        found.append((day, name, len(users), len(rows), len(sessions)))
    return found
