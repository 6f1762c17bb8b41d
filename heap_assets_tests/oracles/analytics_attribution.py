"""attribution and attribution_by_channel by a plain reading of the contract: one conversion after another."""

from collections import defaultdict
from datetime import timedelta

MODELS = ("first_touch", "last_touch", "last_non_direct_touch", "linear", "position_based", "time_decay")


def attribution(
    events: list[dict], sessions: list[dict], lookback: timedelta, half_life: timedelta, max_touches: int
) -> list[dict]:
    """Return a row per model, conversion and touch with a weight; ``events`` and ``sessions`` are heap_* rows."""
    found = []
    for event in events:
        time = event["heap_event_time"]
        if time is None or not event["heap_event_is_conversion"]:
            continue
        touches = [
            session
            for session in sessions
            if session["heap_user_id"] == event["heap_user_id"]
            and session["heap_session_start_time"] is not None
            and timedelta(0) <= time - session["heap_session_start_time"] <= lookback
        ]
        touches.sort(key=lambda session: (session["heap_session_start_time"], session["heap_session_id"]))
        if len(touches) > max_touches:
            touches = [touches[0], *touches[1:][-(max_touches - 1) :]]
        for model in MODELS:
            weights = _weights(model, touches, time, half_life) if touches else [1.0]
            for touch, weight in zip(touches or [None], weights, strict=True):
                if weight > 0:
                    found.append(
                        {
                            "model": model,
                            "heap_event_id": event["heap_event_id"],
                            "heap_event_name": event["heap_event_name"],
                            "heap_user_id": event["heap_user_id"],
                            "conversion_time": time,
                            "heap_session_id": touch["heap_session_id"] if touch else None,
                            "channel": _channel(touch) if touch else "Unattributed",
                            "weight": weight,
                        }
                    )
    return found


def _channel(session: dict) -> str:
    return session["heap_session_defined_channel_attribution"]


def _weights(model: str, touches: list[dict], time, half_life: timedelta) -> list[float]:
    count = len(touches)
    last = count - 1
    if model == "first_touch":
        return _one(0, count)
    if model == "last_touch":
        return _one(last, count)
    if model == "last_non_direct_touch":
        return _one(max((i for i in range(count) if _channel(touches[i]) != "Direct"), default=last), count)
    if model == "linear" or (model == "position_based" and count <= 2):
        return [1 / count] * count
    if model == "position_based":
        return [0.4, *([0.2 / (count - 2)] * (count - 2)), 0.4]
    decays = [0.5 ** ((time - touch["heap_session_start_time"]) / half_life) for touch in touches]
    return [decay / sum(decays) for decay in decays]


def _one(place: int, count: int) -> list[float]:
    return [float(index == place) for index in range(count)]


def attribution_by_channel(attributed: list[dict]) -> dict[tuple, float]:
    """Return the conversions of each model, day and channel."""
    found: dict[tuple, float] = defaultdict(float)
    for row in attributed:
        found[row["model"], row["conversion_time"].date(), row["channel"]] += row["weight"]
    return found
