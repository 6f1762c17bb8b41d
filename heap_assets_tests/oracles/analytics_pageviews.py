"""heap_pageviews by a plain reading of the contract: one user after another, one pageview after another."""

from datetime import timedelta

from heap_assets_tests.oracles.typing_rules import EPOCH

SECOND = timedelta(seconds=1)


def heap_pageviews(pageviews: list[dict], session_gap: timedelta) -> list[dict]:
    """Return a row per pageview with the columns of the contract."""
    found = []
    for user in {view["user_id"] for view in pageviews}:
        own = [view for view in pageviews if view["user_id"] == user]
        for index, session in enumerate(_sessions(own, session_gap)):
            found += _rows_of_session(user, index, session)
    return found


def _sessions(views: list[dict], session_gap: timedelta) -> list[list[dict]]:
    ordered = sorted(views, key=lambda view: (view["time"] is None, view["time"] or EPOCH, view["event_id"]))
    sessions: list[list[dict]] = [[]]
    for view in ordered:
        last = sessions[-1][-1] if sessions[-1] else None
        if last and view["time"] and last["time"] and view["time"] - last["time"] > session_gap:
            sessions.append([])
        sessions[-1].append(view)
    return sessions


def _rows_of_session(user: int, index: int, session: list[dict]) -> list[dict]:
    timed = [view for view in session if view["time"] is not None]
    start, end = (timed[0]["time"], timed[-1]["time"]) if timed else (None, None)
    return [
        {
            "heap_pageview_id": view["event_id"],
            "heap_user_id": user,
            "heap_session_id": view.get("session_id"),
            "heap_pageview_time": view["time"],
            **{f"heap_pageview_{name}": view.get(name) for name in ("domain", "path", "query", "hash", "title")},
            "heap_pageview_previous_page": view.get("heap_previous_page")
            if view.get("previous_page") is None
            else view["previous_page"],
            "heap_pageview_session_id": f"{user}-{index}",
            "heap_pageview_session_index": index,
            "heap_pageview_session_sequence_number": place,
            "heap_pageview_session_start_time": start,
            "heap_pageview_session_end_time": end,
            "heap_pageview_session_first_pageview_id": session[0]["event_id"],
            "heap_pageview_session_last_pageview_id": timed[-1]["event_id"] if timed else None,
            "heap_pageview_session_start_epoch": None if start is None else (start - EPOCH) // SECOND,
            "heap_pageview_session_end_epoch": None if end is None else (end - EPOCH) // SECOND,
        }
        for place, view in enumerate(session, start=1)
    ]
