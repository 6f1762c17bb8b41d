"""Attribution: which sessions a conversion is owed to, and by how much, under six models.

In: heap_events and heap_sessions. Out: attribution (a function of one user's rows) and attribution_by_channel (of all).
Source: Heap's multi-touch definition (all sessions before the conversion), with lookback, models and ties as in
CONTRACT section 4. Touches are found as positions in sorted sessions, and those that do not count are never listed, so
that a user costs at most its rows and ``max_touches`` for each conversion.
"""

from datetime import timedelta

import polars as pl

from heap_assets.transforms.analytics.channels import DIRECT, UNATTRIBUTED
from heap_assets.transforms.analytics.runs import in_order

LOOKBACK, HALF_LIFE, MAX_TOUCHES = timedelta(days=14), timedelta(days=7), 100

_USER, _SESSION, _START, _EVENT, _NAME = (
    "heap_user_id",
    "heap_session_id",
    "heap_session_start_time",
    "heap_event_id",
    "heap_event_name",
)
FIRST_OF_MODELS = "first_touch"
"""A model that gives each conversion exactly one row."""
_ENDS, _BETWEEN = 0.4, 0.2
_PARTS = 1 << 30


def attribution(
    events: pl.DataFrame,
    sessions: pl.DataFrame,
    *,
    lookback: timedelta = LOOKBACK,
    half_life: timedelta = HALF_LIFE,
    max_touches: int = MAX_TOUCHES,
) -> pl.DataFrame:
    """Return attribution: one row per model, conversion and touch that has a weight.

    In: ``events`` are heap_events, ``sessions`` the same users' heap_sessions; rows without a time take no part. Of
    more than ``max_touches`` (at least 2) the first and the newest others count.
    Out: model (String), heap_event_id (Int64), heap_event_name (String), heap_user_id (Int64), conversion_time
    (Datetime us), heap_session_id (Int64), channel (String), weight (Float64). A conversion without a touch has one row
    per model: channel Unattributed, no session, weight 1.

    >>> from datetime import datetime
    >>> events = pl.DataFrame({"heap_event_id": [1], "heap_event_name": "order", "heap_user_id": 7,
    ...                        "heap_event_time": datetime(2024, 6, 9), "heap_event_is_conversion": True})
    >>> sessions = pl.DataFrame({"heap_session_id": [5, 6], "heap_user_id": 7,
    ...                          "heap_session_start_time": [datetime(2024, 6, 1), datetime(2024, 6, 8)],
    ...                          "heap_session_defined_channel_attribution": ["Organic Search", "Direct"]})
    >>> found = attribution(events, sessions)
    >>> found.filter(model="last_non_direct_touch").select("heap_session_id", "channel", "weight").rows()
    [(5, 'Organic Search', 1.0)]
    """
    touches = _touches(sessions)
    conversions = _conversions(events, touches, lookback, max_touches)
    shares = _shares(conversions, touches, half_life)
    conversion, touch = shares["conversion"], shares["touch"]
    return pl.concat(
        [
            shares.select("model"),
            conversions.select(pl.col(_EVENT, _NAME, _USER, "conversion_time").gather(conversion)),
            touches.select(pl.col(_SESSION).gather(touch), pl.col("channel").gather(touch).fill_null(UNATTRIBUTED)),
            shares.select("weight"),
        ],
        how="horizontal",
    )


def cut_conversions(
    events: pl.DataFrame, sessions: pl.DataFrame, *, lookback: timedelta = LOOKBACK, max_touches: int = MAX_TOUCHES
) -> pl.DataFrame:
    """Return the conversions with more than ``max_touches`` touches: heap_event_id, heap_user_id, touches (Int64).

    In: as attribution.
    """
    conversions = _conversions(events, _touches(sessions), lookback, max_touches)
    touches = (pl.col("last") - pl.col("first") + 1).alias("touches")
    return conversions.select(_EVENT, _USER, touches).filter(pl.col("touches") > max_touches)


def _touches(sessions: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions in order; ``touch`` is the position, ``not_direct`` that of the last not Direct so far."""
    started = sessions.filter(pl.col(_START).is_not_null()).select(
        _USER, _START, _SESSION, pl.col("heap_session_defined_channel_attribution").alias("channel")
    )
    return in_order(started, _USER, _START, ties=[_SESSION]).with_columns(
        pl.int_range(pl.len()).alias("touch"),
        pl.when(pl.col("channel") != DIRECT).then(pl.int_range(pl.len())).forward_fill().alias("not_direct"),
    )


def _conversions(events: pl.DataFrame, touches: pl.DataFrame, lookback: timedelta, max_touches: int) -> pl.DataFrame:
    """Return the conversions with the positions of their touches, all null without one.

    These are ``first``, and ``second`` to ``last``; ``second`` is behind ``last`` if the first one is the only one.
    """
    timed = events.filter("heap_event_is_conversion", pl.col("heap_event_time").is_not_null()).select(
        _USER,
        pl.col("heap_event_time").alias("conversion_time"),
        _EVENT,
        _NAME,
        (pl.col("heap_event_time") - lookback).alias("earliest"),
    )
    found = in_order(timed, _USER, "conversion_time", ties=[_EVENT, _NAME])
    starts = touches.select(_USER, _START, "touch")  # both sides are in order, which join_asof cannot see by user
    first = found.join_asof(
        starts, left_on="earliest", right_on=_START, by=_USER, strategy="forward", check_sortedness=False
    )
    last = found.join_asof(
        starts, left_on="conversion_time", right_on=_START, by=_USER, strategy="backward", check_sortedness=False
    )
    found = found.with_columns(first["touch"].alias("first"), last["touch"].alias("last"))
    touched = pl.col("first") <= pl.col("last")
    found = found.with_columns(pl.when(touched).then(pl.col("first", "last"))).with_row_index("conversion")
    newest = pl.max_horizontal(pl.col("first") + 1, pl.col("last") - (max_touches - 2))
    return found.with_columns(pl.when(pl.col("last").is_not_null()).then(newest).alias("second"))


def _shares(conversions: pl.DataFrame, touches: pl.DataFrame, half_life: timedelta) -> pl.DataFrame:
    """Return model, conversion, touch (positions) and weight; without a touch a conversion is its own whole share."""
    not_direct = pl.lit(touches["not_direct"].gather(conversions["last"]))
    first_is_not_direct = pl.lit(touches["not_direct"].gather(conversions["first"])) == pl.col("first")
    last_non_direct = (
        pl.when(not_direct >= pl.col("second"))
        .then(not_direct)
        .when(first_is_not_direct)
        .then("first")
        .otherwise("last")
    )
    whole = {FIRST_OF_MODELS: pl.col("first"), "last_touch": pl.col("last"), "last_non_direct_touch": last_non_direct}
    every = _every_touch(conversions, touches, half_life)
    weights = {
        "linear": 1 / pl.col("touches"),
        "position_based": _position_weight(),
        "time_decay": pl.col("decay") / pl.col("decay").sum().over("conversion"),
    }
    one = pl.lit(1.0).alias("weight")
    return pl.concat(
        [
            *(
                conversions.select(_model(name), "conversion", touch.alias("touch"), one)
                for name, touch in whole.items()
            ),
            *(
                every.select(_model(name), "conversion", "touch", weight.fill_null(1.0).alias("weight"))
                for name, weight in weights.items()
            ),
        ]
    ).filter(pl.col("weight") > 0)


def _model(name: str) -> pl.Expr:
    return pl.lit(name).alias("model")


def _every_touch(conversions: pl.DataFrame, touches: pl.DataFrame, half_life: timedelta) -> pl.DataFrame:
    """Return a row per conversion and touch, with its ``place`` from 1, how many ``touches`` there are, and its decay.

    The decay is told against the last touch, which changes no share and keeps very old touches from vanishing together.
    """
    first, second, last = pl.col("first"), pl.col("second"), pl.col("last")
    # one place before the second is the first, wherever that is: no list is built that has more than what counts
    every = conversions.select("conversion", first, second, last, pl.int_ranges(second - 1, last + 1).alias("touch"))
    every = every.explode("touch", empty_as_null=True).with_columns(
        (pl.col("touch") - second + 2).alias("place"), (last - second + 2).alias("touches")
    )
    every = every.with_columns(pl.when(pl.col("place") == 1).then(first).otherwise("touch").alias("touch"))
    start = touches[_START]
    younger = pl.lit(start.gather(every["last"])) - pl.lit(start.gather(every["touch"]))
    half_lives = younger.to_physical() / (half_life // timedelta(microseconds=1))
    return every.select("conversion", "touch", "place", "touches", (0.5**half_lives).alias("decay"))


def _position_weight() -> pl.Expr:
    touches = pl.col("touches")
    at_an_end = (pl.col("place") == 1) | (pl.col("place") == touches)
    two = 2
    return pl.when(touches <= two).then(1 / touches).when(at_an_end).then(_ENDS).otherwise(_BETWEEN / (touches - two))


def attribution_by_channel(counts: pl.LazyFrame) -> pl.LazyFrame:
    """Return attribution_by_channel: how many conversions each model gives each channel, by UTC day of conversion.

    In: ``share_counts`` of all users. Out: model (String), day (Date), channel (String), conversions (Float64).

    >>> from datetime import datetime
    >>> noon = datetime(2024, 6, 9, 12)
    >>> rows = {"model": "linear", "conversion_time": noon, "channel": "A", "weight": [0.5, 0.25]}
    >>> attribution_by_channel(share_counts(pl.LazyFrame(rows))).collect().rows()
    [('linear', datetime.date(2024, 6, 9), 'A', 0.75)]
    """
    conversions = (pl.col("parts_of_parts") / _PARTS + pl.col("parts")) / _PARTS
    return counts.select("model", "day", "channel", conversions.alias("conversions")).sort("model", "day", "channel")


SHARE_COUNTS = ("shares", "parts", "parts_of_parts")


def share_counts(attributed: pl.LazyFrame) -> pl.LazyFrame:
    """Return what any set of users adds to each sum, unordered.

    In: the rows of attribution. Out: model (String), day (Date), channel (String), shares, parts, parts_of_parts
    (Int64): rows, and their weights as whole numbers of 2^-30 and 2^-60, since a sum of doubles ends in another last
    digit for each order of rows, and nothing could be taken out of it again.
    """
    parts = pl.col("weight") * _PARTS
    return attributed.group_by("model", pl.col("conversion_time").dt.date().alias("day"), "channel").agg(
        pl.len().cast(pl.Int64).alias("shares"),
        parts.floor().cast(pl.Int64).sum().alias("parts"),
        ((parts - parts.floor()) * _PARTS).cast(pl.Int64).sum().alias("parts_of_parts"),
    )
