"""What the report shows, as values read from the models.

Events that clocks put after the last sync are left out. Here: the figures. Not here: what is asked of the models
(questions.py), how they look (page.html), pictures (pictures.py), words for numbers (words.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import polars as pl

from heap_assets.config.durations import duration_text
from heap_assets.config.model import Configuration, Freshness, Funnel
from heap_assets.report import questions
from heap_assets.schema.synced_table import SyncedTable

MODELS = ("first_touch", "last_touch", "last_non_direct_touch", "linear", "position_based", "time_decay")
_MOST_DAYS, _MOST_COHORTS, _MOST_GROUPS, _MOST_CHANNELS = 90, 12, 10, 11
_OTHERS = "all other channels"

READ = ("funnel_steps", "funnel_users", "heap_sessions", "attribution_by_channel", "retention")
"""The models that the figures are read from."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a funnel: users, rates between 0 and 1, median seconds; None where there is none."""

    name: str
    users: int
    from_start: float | None
    from_previous: float | None
    seconds_from_previous: float | None
    seconds_from_start: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelFigure:
    """A funnel over all its users, and group by group, the largest first."""

    name: str
    about: str
    steps: tuple[Step, ...]
    group_by: str | None
    groups: tuple[tuple[str, tuple[Step, ...]], ...]
    groups_left_out: int


@dataclass(frozen=True, slots=True)
class Day:
    """Sessions that began on a day (UTC), and their users."""

    day: date
    sessions: int
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionFigure:
    """Conversions of each channel by model, the largest channel first; each model's sum is ``conversions``."""

    channels: Mapping[str, Mapping[str, float]]
    conversions: float
    first: date
    last: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Users who first came in the week from ``begin``, and their share that came so many weeks later, from 0."""

    begin: date
    size: int
    rates: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFreshness:
    """How old a table's newest data is."""

    name: str
    synced_to: datetime | None
    last_sync: datetime | None
    age: timedelta | None
    verdict: Literal["fresh", "late", "stale", "no data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigures:
    """All that the report shows; ``made`` and ``synced`` are UTC."""

    made: datetime
    synced: datetime | None
    sessions: int
    users: int
    days: tuple[Day, ...]
    funnels: tuple[FunnelFigure, ...]
    attribution: AttributionFigure | None
    cohorts: tuple[Cohort, ...]
    freshness: tuple[TableFreshness, ...]


def report_figures(
    models: Mapping[str, pl.LazyFrame],
    synced_tables: Sequence[SyncedTable],
    configuration: Configuration,
    *,
    now: datetime,
) -> ReportFigures:
    """Return what the rows of the models in ``READ``, by name, have to show; ``now`` is UTC without zone."""
    synced = max((table.sync_ended for table in synced_tables if table.sync_ended is not None), default=None)
    until = synced or now
    sessions = questions.sessions_until(models["heap_sessions"], until)
    totals = sessions.select(pl.len(), pl.col("heap_user_id").n_unique()).collect(engine="streaming")
    medians = {(funnel, step): pair for funnel, step, *pair in questions.medians(models["funnel_users"]).iter_rows()}
    steps = questions.funnel_steps(models["funnel_steps"])
    return ReportFigures(
        made=now,
        synced=synced,
        sessions=totals.item(0, 0),
        users=totals.item(0, 1),
        days=_days(sessions),
        funnels=tuple(
            _funnel(funnel, steps.filter(funnel=funnel.name).drop("funnel").rows(), medians)
            for funnel in configuration.funnels
        ),
        attribution=_attribution(questions.channels(models["attribution_by_channel"], until.date()).rows()),
        cohorts=_cohorts(questions.weeks(models["retention"], until.date()).rows()),
        freshness=tuple(_freshness(table, configuration.freshness, now) for table in synced_tables),
    )


def _days(sessions: pl.LazyFrame) -> tuple[Day, ...]:
    """Return the last days, those without a session too."""
    of = {day: (number, users) for day, number, users in questions.sessions_by_day(sessions).iter_rows()}
    if not of:
        return ()
    last = max(of)
    first = max(min(of), last - timedelta(days=_MOST_DAYS - 1))
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(Day(day, *of.get(day, (0, 0))) for day in days)


def _funnel(funnel: Funnel, rows: Sequence[tuple[Any, ...]], medians: Mapping[tuple[str, int], Any]) -> FunnelFigure:
    groups: dict[str | None, list[Step]] = {}
    for group, *values in rows:
        groups.setdefault(group, []).append(Step(*values))
    users = [sum(steps[number].users for steps in groups.values()) for number in range(len(funnel.steps))]
    overall = [
        Step(
            step.event,
            users[number],
            _share(users[number], users[0]) if number else 1.0,
            _share(users[number], users[number - 1]) if number else 1.0,
            *medians.get((funnel.name, number + 1), (None, None)),
        )
        for number, step in enumerate(funnel.steps)
    ]
    named = [(group or "", tuple(steps)) for group, steps in groups.items()] if funnel.group_by else []
    named.sort(key=lambda pair: (-pair[1][0].users, pair[0]))
    window = "without a time limit" if funnel.window is None else f"within {duration_text(funnel.window)}"
    return FunnelFigure(
        name=funnel.name,
        about=f"{window}{', in one session' if funnel.scope == 'session' else ''}",
        steps=tuple(overall),
        group_by=funnel.group_by,
        groups=tuple(named[:_MOST_GROUPS]),
        groups_left_out=max(len(named) - _MOST_GROUPS, 0),
    )


def _share(users: int, of: int) -> float | None:
    return users / of if of else None


def _attribution(rows: Sequence[tuple[Any, ...]]) -> AttributionFigure | None:
    if not rows:
        return None
    channels: dict[str, dict[str, float]] = {}
    for model, channel, conversions, *_ in rows:
        channels.setdefault(channel, dict.fromkeys(MODELS, 0.0))[model] = conversions
    ordered = sorted(channels.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))
    shown = dict(ordered[:_MOST_CHANNELS])
    if rest := [by_model for _, by_model in ordered[_MOST_CHANNELS:]]:
        shown[_OTHERS] = {model: sum(by_model[model] for by_model in rest) for model in MODELS}
    return AttributionFigure(
        channels=shown,
        conversions=sum(by_model["linear"] for by_model in channels.values()),
        first=min(row[3] for row in rows),
        last=max(row[4] for row in rows),
    )


def _cohorts(rows: Sequence[tuple[Any, ...]]) -> tuple[Cohort, ...]:
    """Return the newest cohorts; a week that has come and in which nobody did has no row, and is 0."""
    rates: dict[tuple[date, int], dict[int, float]] = {}
    for begin, size, since, rate in rows:
        rates.setdefault((begin, size), {})[since] = rate
    if not rates:
        return ()
    last = max(begin + timedelta(weeks=since) for (begin, _), by_week in rates.items() for since in by_week)
    return tuple(
        Cohort(
            begin=begin,
            size=size,
            rates=tuple(by_week.get(since, 0.0) for since in range((last - begin).days // 7 + 1)),
        )
        for (begin, size), by_week in list(rates.items())[-_MOST_COHORTS:]
    )


def _freshness(table: SyncedTable, limits: Freshness, now: datetime) -> TableFreshness:
    limit = limits.limits_of(table.name)
    age = None if table.synced_to_time is None else now - table.synced_to_time
    verdict: Literal["fresh", "late", "stale", "no data"] = "fresh"
    if age is None:
        verdict = "no data"
    elif age > limit.warn:
        verdict = "stale" if age > limit.fail else "late"
    return TableFreshness(
        name=table.name, synced_to=table.synced_to_time, last_sync=table.sync_ended, age=age, verdict=verdict
    )
