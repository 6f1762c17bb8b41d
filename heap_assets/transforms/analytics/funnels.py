"""Funnels: how far each user got through the steps, and how many got how far.

In: occurrences, one row per event and step that it can serve. Out: funnel_users (a function of one user's rows) and
funnel_steps (of all users).
Source: Heap's definition of a funnel (each user once, steps in order, other events in between allowed), with attempts,
windows and ties as in CONTRACT section 4. Not here: which rows of which table serve a step (``equal_texts`` of
text_columns.py says which fit a ``where``).
"""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from heap_assets.expressions.polars.text import text_form
from heap_assets.transforms.analytics.runs import begins_run, in_order

NO_GROUP = "(none)"

_USER, _SESSION, _TIME, _EVENT = "heap_user_id", "heap_session_id", "time", "heap_event_id"
_GROUP, _FURTHEST = "group_value", "steps_completed"


def funnel_users(
    occurrences: pl.DataFrame,
    *,
    funnel: str,
    step_names: Sequence[str],
    window: timedelta | None = None,
    within_session: bool = False,
) -> pl.DataFrame:
    """Return funnel_users of one funnel: one row per user who did step 1 and step reached, sorted by both.

    In: ``occurrences`` has heap_user_id (Int64), time (Datetime us) and step (Int64, from 1); an event that can serve
    two steps is there twice. Within sessions or with group_by it has heap_session_id and heap_event_id (Int64) too; of
    a funnel with group_by also group_value, of any type, which is read from the occurrence of step 1 with which an
    attempt starts.
    Out: funnel (String), heap_user_id (Int64), group_value (String), steps_completed, step_number (Int64), step_name
    (String), step_time (Datetime us).

    An attempt starts at any occurrence of step 1; step k is the first occurrence strictly later than step k-1, no later
    than start + window. A user counts with the attempt that gets furthest, the earliest of equals, then the smaller
    session id (none is greatest), then the smaller event id.

    >>> from datetime import datetime
    >>> nine, ten = datetime(2024, 6, 1, 9), datetime(2024, 6, 1, 10)
    >>> done = pl.DataFrame({"heap_user_id": 7, "time": [nine, ten], "step": [1, 2]})
    >>> reached = funnel_users(done, funnel="purchase", step_names=["view", "order"])
    >>> reached.select("steps_completed", "step_number", "step_name").rows()
    [(2, 1, 'view'), (2, 2, 'order')]
    """
    owner = [_USER, _SESSION] if within_session else [_USER]
    ties = [_SESSION, _EVENT] if within_session or _GROUP in occurrences.columns else []  # else equals are alike
    timed = occurrences.filter(pl.all_horizontal(pl.col(_TIME, *owner).is_not_null()))
    rows = in_order(timed.select(_USER, *ties, _TIME, "step", _group_value(timed)), *owner, _TIME)
    attempts = _attempts(rows, owner, len(step_names), window)
    best = in_order(attempts.filter(~_follows_a_better_one()), _USER, "missing", "time_1", ties=ties).filter(
        begins_run(_USER)
    )
    reached = [
        best.filter(pl.col(f"time_{step}").is_not_null()).select(
            pl.lit(funnel).alias("funnel"),
            _USER,
            _GROUP,
            (len(step_names) - pl.col("missing")).alias(_FURTHEST),
            pl.lit(step, dtype=pl.Int64).alias("step_number"),
            pl.lit(name).alias("step_name"),
            pl.col(f"time_{step}").alias("step_time"),
        )
        for step, name in enumerate(step_names, start=1)
    ]
    return in_order(pl.concat(reached), _USER, "step_number")


def _group_value(occurrences: pl.DataFrame) -> pl.Expr:
    if _GROUP not in occurrences.columns:
        return pl.lit(None, dtype=pl.String).alias(_GROUP)
    return text_form(pl.col(_GROUP), occurrences.schema[_GROUP]).fill_null(NO_GROUP).alias(_GROUP)


def _attempts(rows: pl.DataFrame, owner: Sequence[str], steps: int, window: timedelta | None) -> pl.DataFrame:
    """Return every attempt: its start's columns, ``time_1`` to ``time_<steps>`` and how many steps are ``missing``.

    Rows are sorted by owner and time. For each step the position of its next occurrence, strictly later and of the same
    owner, is known for all rows at once; an attempt is then a walk over these positions.
    """
    after = _rows_after(rows, owner)
    starts = rows.with_row_index("row").filter(pl.col("step") == 1)
    latest = pl.lit(None, dtype=pl.Datetime("us")) if window is None else pl.col(_TIME) + window
    walk = starts.with_columns(pl.col(_TIME).alias("time_1"), latest.alias("latest"), pl.col("row").cast(pl.Int64))
    for step in range(2, steps + 1):
        following = _next_occurrences(rows, after, step)
        position = following.gather(walk["row"])
        time = rows[_TIME].gather(position)
        in_time = pl.col("latest").is_null() | (time <= pl.col("latest"))
        walk = walk.with_columns(pl.when(in_time).then(time).alias(f"time_{step}")).with_columns(
            pl.when(pl.col(f"time_{step}").is_not_null()).then(position).alias("row")
        )
    reached = pl.sum_horizontal(pl.col(f"time_{step}").is_not_null().cast(pl.Int64) for step in range(1, steps + 1))
    return walk.with_columns((steps - reached).alias("missing"))


def _follows_a_better_one() -> pl.Expr:
    """Return whether the attempt above is the same user's, got as far or further, and began earlier.

    Most attempts of a user are repeats: without them there is a fifth of the rows to sort.
    """
    same_user = pl.col(_USER).diff() == 0
    as_far = pl.col("missing").diff() >= 0
    earlier = pl.col("time_1").diff() > pl.duration()
    return (same_user & as_far & earlier).fill_null(value=False)


def _rows_after(rows: pl.DataFrame, owner: Sequence[str]) -> pl.DataFrame:
    """Return for each row the position of the first row of another time (``after``) and of the next owner (``end``)."""
    row, height = pl.int_range(pl.len()), pl.lit(rows.height, dtype=pl.Int64)

    def next_run(*keys: str) -> pl.Expr:
        return pl.when(begins_run(*keys)).then(row).shift(-1).backward_fill().fill_null(height)

    return rows.select(next_run(*owner, _TIME).alias("after"), next_run(*owner).alias("end"))


def _next_occurrences(rows: pl.DataFrame, after: pl.DataFrame, step: int) -> pl.Series:
    """Return for each row the position of the first later occurrence of this step by the same owner, else null."""
    here = rows.select(pl.when(pl.col("step") == step).then(pl.int_range(pl.len())).backward_fill()).to_series()
    position = here.gather(after.select(pl.when(pl.col("after") < pl.col("end")).then("after")).to_series())
    return after.select(pl.when(position < pl.col("end")).then(position)).to_series()


def funnel_steps(
    reached: pl.LazyFrame, *, funnel: str, step_names: Sequence[str], grouped: bool = False
) -> pl.LazyFrame:
    """Return funnel_steps of one funnel: one row per group and step, also of steps that nobody reached.

    In: ``reached`` are the rows of funnel_users, of this funnel or of all, those of a user together and in the order of
    steps; ``grouped`` says whether it has group_by.
    Out: funnel, group_value (String), step_number (Int64), step_name (String), users (Int64), conversion_from_start,
    conversion_from_previous, median_seconds_from_previous, median_seconds_from_start (Float64). Step 1 has the rates 1
    and no medians; a later rate over 0 users is null. An ungrouped funnel that nobody entered has its rows.

    >>> from datetime import datetime
    >>> times = [datetime(2024, 6, 1, 9), datetime(2024, 6, 1, 10)]
    >>> reached = pl.LazyFrame({"funnel": "purchase", "heap_user_id": 7, "step_number": [1, 2], "step_time": times})
    >>> reached = reached.with_columns(group_value=pl.lit(None, dtype=pl.String))
    >>> steps = funnel_steps(reached, funnel="purchase", step_names=["view", "order"]).collect()
    >>> steps.select("step_name", "users", "conversion_from_start", "median_seconds_from_previous").rows()
    [('view', 1, 1.0, None), ('order', 1, 1.0, 3600.0)]
    """
    own = reached.filter(pl.col("funnel") == funnel).select(_USER, _GROUP, "step_number", "step_time")
    is_start = pl.col("step_number") == 1
    keys = [_GROUP, "step_number"] if grouped else ["step_number"]
    counted = (
        own.with_columns(  # who reached a step reached those before, so that they stand above it
            pl.when(~is_start).then(pl.col("step_time").shift(1)).alias("previous"),
            pl.when(is_start).then("step_time").forward_fill().alias("start"),
        )
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("users"),
            _median_seconds("previous").alias("median_seconds_from_previous"),
            _median_seconds("start").alias("median_seconds_from_start"),
        )
    )
    no_group = pl.LazyFrame({_GROUP: [None]}, schema={_GROUP: pl.String})
    groups = own.select(pl.col(_GROUP).unique()) if grouped else no_group
    steps = pl.LazyFrame({"step_number": range(1, len(step_names) + 1), "step_name": list(step_names)})
    later = pl.col("step_number") > 1
    users = pl.col("users")
    return (
        groups.join(steps.cast({"step_number": pl.Int64, "step_name": pl.String}), how="cross")
        .join(counted, on=keys, how="left", nulls_equal=True)
        .with_columns(users.fill_null(0))
        .sort(_GROUP, "step_number")
        .select(
            pl.lit(funnel).alias("funnel"),
            _GROUP,
            "step_number",
            "step_name",
            "users",
            _rate(users.first().over(_GROUP, order_by="step_number")).alias("conversion_from_start"),
            _rate(users.shift(1)).alias("conversion_from_previous"),
            pl.when(later).then("median_seconds_from_previous"),
            pl.when(later).then("median_seconds_from_start"),
        )
    )


def _median_seconds(since: str) -> pl.Expr:
    """Return the median in seconds, as near as a double can be: by text, for Polars divides by a constant inexactly."""
    micros = (pl.col("step_time") - pl.col(since)).to_physical()
    return pl.format("{}e-6", (micros.median() * 2).cast(pl.Int64)).cast(pl.Float64) / 2


def _rate(of: pl.Expr) -> pl.Expr:
    """Return users over others; 1 for the first step, null over nobody."""
    return pl.when(pl.col("step_number") == 1).then(1.0).when(of > 0).then(pl.col("users") / of)
