"""What the report shows, as values read from the published file.

Here: the figures and the questions that they answer. Events that clocks put after the last sync are left out. Not here:
how they look (page.html), pictures (pictures.py), words for numbers (words.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from heap_assets.config.durations import duration_text
from heap_assets.config.model import Configuration, Freshness, Funnel
from heap_assets.targets.duckdb.reader import SyncedTable, explained, opened, synced_tables

MODELS = ("first_touch", "last_touch", "last_non_direct_touch", "linear", "position_based", "time_decay")
_MOST_DAYS, _MOST_COHORTS, _MOST_GROUPS, _MOST_CHANNELS = 90, 12, 10, 11
_OTHERS = "all other channels"

_STEPS = """
SELECT funnel, group_value, step_name, users, conversion_from_start, conversion_from_previous,
       median_seconds_from_previous, median_seconds_from_start
FROM heap_analytics.funnel_steps ORDER BY funnel, group_value, step_number
"""
_MEDIANS = """
WITH timed AS (
  SELECT funnel, step_number, epoch_us(step_time) AS us,
         lag(us) OVER (PARTITION BY funnel, heap_user_id ORDER BY step_number) AS before,
         first(us) OVER (PARTITION BY funnel, heap_user_id ORDER BY step_number) AS start
  FROM heap_analytics.funnel_users
)
SELECT funnel, step_number, median(us - before) / 1e6, median(us - start) / 1e6
FROM timed WHERE step_number > 1 GROUP BY ALL
"""
_DAYS = """
WITH counted AS (
  SELECT heap_session_start_time::DATE AS day, count(*) AS sessions, count(DISTINCT heap_user_id) AS users
  FROM heap_analytics.heap_sessions WHERE heap_session_start_time <= $until GROUP BY day
), span AS (SELECT greatest(min(day), max(day) - $days::INT + 1) AS first, max(day) AS last FROM counted)
SELECT every.day::DATE, coalesce(sessions, 0), coalesce(users, 0)
FROM (SELECT unnest(generate_series(first, last, INTERVAL 1 DAY)) AS day FROM span WHERE first IS NOT NULL) AS every
LEFT JOIN counted ON counted.day = every.day::DATE ORDER BY 1
"""
_TOTALS = """
SELECT count(*), count(DISTINCT heap_user_id) FROM heap_analytics.heap_sessions WHERE heap_session_start_time <= $until
"""
_CHANNELS = """
SELECT model, channel, sum(conversions), min(day), max(day)
FROM heap_analytics.attribution_by_channel WHERE day <= $until::DATE GROUP BY ALL
"""
_COHORTS = """
SELECT cohort, cohort_size, periods_since, rate FROM heap_analytics.retention
WHERE period = 'week' AND cohort + (7 * periods_since)::INT <= $until::DATE ORDER BY cohort, periods_since
"""


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


def report_figures(path: Path, configuration: Configuration, *, now: datetime) -> ReportFigures:
    """Return what a published file has to show; ``now`` is UTC without zone."""
    tables = synced_tables(path)
    synced = max((table.sync_ended for table in tables if table.sync_ended is not None), default=None)
    until = {"until": synced or now}
    with opened(path) as connection, explained(path):

        def rows(query: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
            return connection.execute(query, values or {}).fetchall()

        ((sessions, users),) = rows(_TOTALS, until)
        medians = {(funnel, step): pair for funnel, step, *pair in rows(_MEDIANS)}
        steps = rows(_STEPS)
        return ReportFigures(
            made=now,
            synced=synced,
            sessions=sessions,
            users=users,
            days=tuple(Day(*row) for row in rows(_DAYS, {**until, "days": _MOST_DAYS})),
            funnels=tuple(
                _funnel(funnel, [row[1:] for row in steps if row[0] == funnel.name], medians)
                for funnel in configuration.funnels
            ),
            attribution=_attribution(rows(_CHANNELS, until)),
            cohorts=_cohorts(rows(_COHORTS, until)),
            freshness=tuple(_freshness(table, configuration.freshness, now) for table in tables),
        )


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
    limit = limits.of(table.name)
    age = None if table.synced_to_time is None else now - table.synced_to_time
    verdict: Literal["fresh", "late", "stale", "no data"] = "fresh"
    if age is None:
        verdict = "no data"
    elif age > limit.warn:
        verdict = "stale" if age > limit.fail else "late"
    return TableFreshness(
        name=table.name, synced_to=table.synced_to_time, last_sync=table.sync_ended, age=age, verdict=verdict
    )
