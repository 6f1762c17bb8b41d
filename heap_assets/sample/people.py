"""Who the people are: when they come, when they are identified, and under which ids.

Here: one row per person, and the merges. Not here: in which of their visits they are identified (identities.py), single
visits (visits.py), the rows of the users table (users.py).
"""

from math import sqrt

import polars as pl

from heap_assets.sample.calendar import HOUR, SLICE, Calendar, Dump
from heap_assets.sample.draws import Draws, Kind, bits, picked
from heap_assets.sample.identities import DEVICES, REMARKABLE, with_identities
from heap_assets.sample.origins import ADDRESSES, PLACE_WEIGHTS

VISITS_PER_PERSON = 1 << 10
"""Nobody comes that often; a visit's key is its person's number times this, plus its own number."""

_QUANTILES = 1024
_STRATUM = 1024  # each visit falls into its own part of the person's time, so visits come in order
_JITTER = 700
_SLICES_OF_60_DAYS = 445
_SLICES_BETWEEN_VISITS = 3
_MOST_VISITS = VISITS_PER_PERSON - 16
_IDENTIFIED_AFTER = 25 * HOUR // 60
_CHANGED_AFTER = 10 * HOUR // 60
_RARE_TIME = 32  # one merge in so many has the time 0
_SHARING, _CIRCULAR, _SELF_MERGED = 2, 4, 5  # of the remarkable ones


def _pareto(quantile: float) -> float:
    rest = 1 - quantile
    return 1 / (sqrt(rest) * sqrt(sqrt(rest)))


_ARRIVALS = pl.Series(
    [number // 3 for number in range(400)] + [133 + number * 890 // 624 for number in range(624)], dtype=pl.UInt64
)
"""When a person first comes, in 1024ths of the time: many soon, the others evenly."""
_LIFETIMES = pl.Series(
    [0] * 300 + [2 * number for number in range(300)] + [600 + number for number in range(424)], dtype=pl.UInt64
)
"""How long a person keeps coming, in 1024ths of the time that is left."""
_VISITS = pl.Series([int(7 * _pareto((number + 0.5) / _QUANTILES)) for number in range(_QUANTILES)], dtype=pl.UInt64)
"""How often a person comes in 60 days: most a few times, some daily."""

_PERSON = pl.col("person")


def people(calendar: Calendar, draws: Draws, numbers: range) -> pl.DataFrame:
    """Return one row per person.

    ``known_<k>`` is the visit in which the person is identified on device ``k``, ``renamed`` the one in which the
    identity changes; ``..._at`` are the times (epoch ms), null if it never happens.
    """
    fate = pl.col("fate")
    everybody = pl.LazyFrame({"person": pl.int_range(numbers.start, numbers.stop, dtype=pl.UInt64, eager=True)})
    frame = everybody.with_columns(fate=draws.number(_PERSON, "fate"), luck=draws.number(_PERSON, "luck"))
    remarkable = _PERSON < REMARKABLE
    usual = pl.lit(calendar.usual_length, dtype=pl.UInt64)
    arrival = usual * (picked(_ARRIVALS, fate) * _QUANTILES + bits(fate, 40, _QUANTILES)) // _QUANTILES**2
    frame = frame.with_columns(arrival=pl.when(remarkable).then(usual // 16).otherwise(arrival))
    left = usual - pl.col("arrival")
    lifetime = picked(_LIFETIMES, bits(fate, 10, _QUANTILES))
    frame = frame.with_columns(
        lifetime=pl.when(remarkable).then(left).otherwise(left * lifetime // _QUANTILES),
        rate=pl.when(remarkable).then(40).otherwise(picked(_VISITS, bits(fate, 20, _QUANTILES))),
    )
    most = (pl.col("lifetime") // (_SLICES_BETWEEN_VISITS * SLICE)).clip(upper_bound=_MOST_VISITS)
    earned = pl.col("rate") * pl.col("lifetime") // (_SLICES_OF_60_DAYS * SLICE)
    usual_visits = 1 + pl.min_horizontal(earned, most)
    frame = frame.with_columns(usual_visits=usual_visits)
    return _with_times(with_identities(frame, calendar.size, draws), calendar, draws).collect()


def _with_times(frame: pl.LazyFrame, calendar: Calendar, draws: Draws) -> pl.LazyFrame:
    luck, known = pl.col("luck"), pl.col("known_0")
    visit_of = {
        **{f"known_{device}_at": pl.col(f"known_{device}") for device in range(DEVICES)},
        **{f"seen_{device}_at": pl.lit(device, dtype=pl.UInt64) for device in range(DEVICES)},
        "renamed_at": pl.col("renamed"),
        "upgraded_at": known + 2 + bits(luck, 40, 2),
        "changed_at": known + 5 + bits(luck, 42, 4),
    }
    delays = {"seen": 0, "upgraded": _CHANGED_AFTER, "changed": _CHANGED_AFTER}
    happens = {
        name: visit < pl.col("devices" if name.startswith("seen") else "visits") for name, visit in visit_of.items()
    }
    # One step after the other: as single expressions these would take longer to plan than to compute.
    frame = frame.with_columns(pl.when(happens[name]).then(visit).alias(name) for name, visit in visit_of.items())
    frame = frame.with_columns(_jitter(draws, pl.col(name)).alias(f"jitter_{name}") for name in visit_of)
    frame = frame.with_columns(
        _position(calendar, pl.col(name), pl.col(f"jitter_{name}")).alias(name) for name in visit_of
    )
    return frame.select(
        "person", "luck", "returning", "arrival", "lifetime", "usual_visits", "visits", "devices", "renamed",
        *(f"known_{device}" for device in range(DEVICES)),
        *(
            (calendar.moment(pl.col(name)) + delays.get(name.split("_")[0], _IDENTIFIED_AFTER)).alias(name)
            for name in visit_of
        ),
        place=picked(PLACE_WEIGHTS, bits(luck, 44, 1 << 12)).cast(pl.UInt64),
        address=bits(pl.col("fate"), 30, 1 << 30) % len(ADDRESSES),
    )  # fmt: skip


def visit_start(calendar: Calendar, draws: Draws, number: pl.Expr) -> pl.Expr:
    """Return when the ``number``-th visit (from 0) of the person in the row begins (epoch ms, by a right clock)."""
    return calendar.moment(_position(calendar, number, _jitter(draws, number)))


def visit_numbers(calendar: Calendar, begin: int, end: int) -> tuple[pl.Expr, pl.Expr]:
    """Return the first visit of each person that can lie after one time, and the one after the last before another.

    No visit between the two times (epoch ms) is left out; a few around them are not.
    """
    usual, arrival = pl.col("usual_visits").cast(pl.Int64), pl.col("arrival").cast(pl.Int64)
    lifetime = pl.col("lifetime").cast(pl.Int64).clip(lower_bound=1)
    lowest, highest = calendar.position_after(begin) - SLICE, calendar.position_after(end)
    first = ((lowest - arrival) * usual // lifetime - 1).clip(lower_bound=0)
    stop = pl.min_horizontal((highest - arrival) * usual // lifetime + 1, usual)
    if calendar.size.last_dump_share is not None and highest > calendar.last_day[0]:
        stop = pl.col("visits").cast(pl.Int64)
    return first, stop


def _jitter(draws: Draws, number: pl.Expr) -> pl.Expr:
    return draws.number(visit_key(number), "start") % _JITTER


def _position(calendar: Calendar, number: pl.Expr, jitter: pl.Expr) -> pl.Expr:
    """Return the place of a visit on the axis of busy time."""
    usual = pl.col("usual_visits")
    position = pl.col("arrival") + pl.col("lifetime") * (number * _STRATUM + jitter) // (usual * _STRATUM)
    if calendar.size.last_dump_share is None:
        return position
    begin, length = calendar.last_day
    after, extra = number - usual, (pl.col("visits") - usual).clip(lower_bound=1)
    on_last_day = begin + length * (after * _STRATUM + jitter) // (extra * _STRATUM)
    return pl.when(number < usual).then(position).otherwise(on_last_day)


def visit_key(number: pl.Expr) -> pl.Expr:
    """Return the number of a visit among all visits."""
    return _PERSON * VISITS_PER_PERSON + number


def device_user(draws: Draws, device: pl.Expr | int, *, person: pl.Expr = _PERSON) -> pl.Expr:
    """Return the anonymous Heap user of a person's device."""
    return draws.identifier(Kind.DEVICE, person * (DEVICES + 1) + device)


def identity_user(draws: Draws, kind: Kind, *, person: pl.Expr = _PERSON) -> pl.Expr:
    """Return the Heap user of a person's first or second identity."""
    return draws.identifier(kind, person)


def cancels() -> pl.Expr:
    """Return whether the last change of a person's plan is back to the free one, not on to gold."""
    return bits(pl.col("luck"), 46, 4) == 0


def migrations(draws: Draws, people: pl.DataFrame, dump: Dump) -> pl.DataFrame:
    """Return all merges that are known when the dump is taken."""
    first, second = (identity_user(draws, kind) for kind in (Kind.IDENTITY, Kind.SECOND_IDENTITY))
    everybody = people.lazy()
    merges = [
        _merges(
            everybody,
            when=pl.col(f"known_{device}_at"),
            source=device_user(draws, device),
            target=pl.when(pl.col("renamed") < pl.col(f"known_{device}")).then(second).otherwise(first),
        )
        for device in range(DEVICES)
    ]
    merges.append(_merges(everybody, when=pl.col("renamed_at"), source=first, target=second))
    if people["person"].min() == 0:  # the remarkable ones are all in the first block
        merges += _remarkable_merges(draws, everybody.filter(_PERSON < REMARKABLE))
    known = pl.concat(merges).filter(pl.col("time") < dump.until)
    forgotten = (draws.number(pl.col("from_user_id").cast(pl.UInt64), "merge") % _RARE_TIME == 0) & ~pl.col("told")
    time = pl.when(forgotten).then(0).otherwise("time").cast(pl.Int64)
    return known.select("from_user_id", "to_user_id", time=time).collect()


def _remarkable_merges(draws: Draws, people: pl.LazyFrame) -> list[pl.LazyFrame]:
    identity = identity_user(draws, Kind.IDENTITY)
    neighbour = identity_user(draws, Kind.IDENTITY, person=_PERSON + 1)
    remarkable = {
        _SHARING: (device_user(draws, 0), neighbour),
        _CIRCULAR: (identity, device_user(draws, 0)),
        _SELF_MERGED: (identity, identity),
    }
    return [
        _merges(people.filter(number == _PERSON), when=pl.col("known_0_at") + HOUR, source=source, target=target)
        for number, (source, target) in remarkable.items()
    ]


def _merges(people: pl.LazyFrame, *, when: pl.Expr, source: pl.Expr, target: pl.Expr) -> pl.LazyFrame:
    return people.select(from_user_id=source, to_user_id=target, time=when, told=_PERSON < REMARKABLE).filter(
        pl.col("time").is_not_null()
    )
