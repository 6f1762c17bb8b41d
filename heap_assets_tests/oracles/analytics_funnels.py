"""funnel_users and funnel_steps by a plain reading of the contract: every attempt of a user is walked by itself."""

from datetime import timedelta
from statistics import median

from heap_assets_tests.oracles.typing_rules import EPOCH

GREATEST = 2**63


def funnel_users(
    occurrences: list[dict], funnel: str, step_names: list[str], window: timedelta | None, *, within_session: bool
) -> list[dict]:
    """Return a row per user and step reached."""
    timed = [row for row in occurrences if row["time"] is not None]
    if within_session:
        timed = [row for row in timed if row["heap_session_id"] is not None]
    found = []
    for user in {row["heap_user_id"] for row in timed}:
        own = [row for row in timed if row["heap_user_id"] == user]
        attempts = [
            (start, _walk(start, own, len(step_names), window, within_session=within_session))
            for start in own
            if start["step"] == 1
        ]
        if not attempts:
            continue
        start, times = min(attempts, key=lambda attempt: (-len(attempt[1]), _rank(attempt[0])))
        group = None
        if "group_value" in start:
            group = "(none)" if start["group_value"] is None else start["group_value"]
        found += [
            {
                "funnel": funnel,
                "heap_user_id": user,
                "group_value": group,
                "steps_completed": len(times),
                "step_number": number,
                "step_name": step_names[number - 1],
                "step_time": time,
            }
            for number, time in enumerate(times, start=1)
        ]
    return found


def _rank(start: dict) -> tuple:
    session = start["heap_session_id"]
    return (start["time"], GREATEST if session is None else session, start["heap_event_id"])


def _walk(start: dict, own: list[dict], steps: int, window: timedelta | None, *, within_session: bool) -> list:
    times = [start["time"]]
    for step in range(2, steps + 1):
        later = [
            row["time"]
            for row in own
            if row["step"] == step
            and row["time"] > times[-1]
            and (window is None or row["time"] - start["time"] <= window)
            and (not within_session or row["heap_session_id"] == start["heap_session_id"])
        ]
        if not later:
            break
        times.append(min(later))
    return times


def funnel_steps(reached: list[dict], funnel: str, step_names: list[str], *, grouped: bool) -> list[dict]:
    """Return a row per group and step."""
    groups = {row["group_value"] for row in reached} if grouped else {None}
    found = []
    for group in groups:
        times: dict[int, dict[int, object]] = {}
        for row in reached:
            if row["group_value"] == group:
                times.setdefault(row["heap_user_id"], {})[row["step_number"]] = row["step_time"]
        users = {
            number: [user for user in times.values() if number in user] for number in range(1, len(step_names) + 1)
        }
        for number, name in enumerate(step_names, start=1):
            first = number == 1
            found.append(
                {
                    "funnel": funnel,
                    "group_value": group,
                    "step_number": number,
                    "step_name": name,
                    "users": len(users[number]),
                    "conversion_from_start": 1.0 if first else _rate(users[number], users[1]),
                    "conversion_from_previous": 1.0 if first else _rate(users[number], users[number - 1]),
                    "median_seconds_from_previous": None if first else _median(users[number], number, number - 1),
                    "median_seconds_from_start": None if first else _median(users[number], number, 1),
                }
            )
    return found


def _rate(users: list, of: list) -> float | None:
    return len(users) / len(of) if of else None


def _median(users: list[dict], number: int, since: int) -> float | None:
    micros = [(user[number] - EPOCH - (user[since] - EPOCH)) // timedelta(microseconds=1) for user in users]
    return median(micros) / 1_000_000 if micros else None
