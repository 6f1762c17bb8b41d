"""Paths: with which five events sessions begin.

In: heap_events. Out: paths. Reads all users.
Source: Heap's SQL recipe (the first 5 events of every session with at least 5); CONTRACT section 4.
"""

import polars as pl

LENGTH = 5
STEPS = tuple(f"step_{place}" for place in range(1, LENGTH + 1))

_USER, _SEQUENCE = "heap_user_id", "heap_session_event_sequence"


def paths(counts: pl.LazyFrame) -> pl.LazyFrame:
    """Return paths: one row per sequence of the first five events of a session, the most frequent first.

    In: ``path_counts`` of all users. Out: the same columns.

    >>> events = pl.LazyFrame({"heap_user_id": 7, "heap_session_id": 5, "heap_session_event_sequence": range(1, 7),
    ...                        "heap_event_name": ["a", "b", "b", "c", "d", "e"]})
    >>> paths(path_counts(events)).collect().rows()
    [('a', 'b', 'b', 'c', 'd', 1, 1)]
    """
    return counts.sort("sessions", "users", *STEPS, descending=[True, True, *[False] * LENGTH])


def path_counts(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return what any set of users adds to each path, unordered.

    In: heap_events, of which heap_user_id, heap_session_event_sequence (Int64, null without a session) and
    heap_event_name (String) are read, the rows of a session together and in the order of the sequence; an event without
    a time has its place in it.
    Out: step_1 to step_5 (String), users, sessions (Int64: users, and pairs of user and session, that began so).
    """
    names = [pl.col("heap_event_name").shift(LENGTH - place).alias(step) for place, step in enumerate(STEPS, start=1)]
    whole = events.select(_USER, _SEQUENCE, *names).filter(pl.col(_SEQUENCE) == LENGTH)
    return whole.group_by(STEPS).agg(
        pl.col(_USER).n_unique().cast(pl.Int64).alias("users"), pl.len().cast(pl.Int64).alias("sessions")
    )
