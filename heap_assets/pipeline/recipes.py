"""Recipes: from which tables, models and configuration each model is made, by which transform.

A recipe names all that its model depends on, so that a model is made anew when, and only when, something of it changed.
Not here: keeping state and files (analysis.py), reading (user_bucket.py), the transforms.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from heap_assets.analytics_models import (
    ATTRIBUTION,
    ATTRIBUTION_BY_CHANNEL,
    FUNNEL_STEPS,
    FUNNEL_USERS,
    HEAP_EVENTS,
    HEAP_PAGEVIEWS,
    HEAP_SESSIONS,
    HEAP_USERS,
    PATHS,
    RETENTION,
    segment_model,
)
from heap_assets.catalog import PAGEVIEWS, SESSIONS
from heap_assets.config.event_names import EventTables
from heap_assets.config.model import Configuration, Funnel, Segment
from heap_assets.models import Model
from heap_assets.pipeline.migrated_tables import MigratedTables, digest
from heap_assets.pipeline.user_bucket import UserBucket
from heap_assets.transforms.attribution import attribution, attribution_by_channel
from heap_assets.transforms.enriched_users import heap_users
from heap_assets.transforms.events import heap_events
from heap_assets.transforms.funnels import funnel_steps, funnel_users
from heap_assets.transforms.pageview_sessions import heap_pageviews
from heap_assets.transforms.paths import paths
from heap_assets.transforms.retention import retention
from heap_assets.transforms.segments import segment
from heap_assets.transforms.sessions import heap_sessions

_PAGE = ("domain", "path", "query", "hash", "title", "previous_page", "heap_previous_page")
_UTM = ("utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content")
_CHANNEL = ("referrer", "landing_page", "landing_page_query", *_UTM)
_PLACE = ("country", "region", "city")
_SESSION = (*_CHANNEL, *_PLACE, "ip", "landing_page_hash", "browser")
_INITIAL = (*_CHANNEL, *_PLACE, "device_type", "platform", "browser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is made.

    Attributes:
        after: Models that it is made of.
        rules: What its rows follow from besides data, by what it is about: the configuration, the columns of a table.
        data: A digest of the data of the tables that it is made of.
        rows: Makes the rows of a bucket of users; of a model that is not user-local those of all users.
    """

    model: Model
    after: tuple[Model, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    rows: Callable[[UserBucket], pl.DataFrame]


def recipes(configuration: Configuration, tables: MigratedTables, events: EventTables) -> tuple[Recipe, ...]:
    """Return the recipe of every model and segment, each after those of the models that it is made of."""
    return (
        *_Recipes(configuration, tables, events).of_users(),
        Recipe(
            model=FUNNEL_STEPS,
            after=(FUNNEL_USERS,),
            rules={"configuration": digest(configuration.funnels)},
            rows=lambda everyone: _funnel_steps(configuration.funnels, everyone.made(FUNNEL_USERS.name)),
        ),
        Recipe(
            model=ATTRIBUTION_BY_CHANNEL,
            after=(ATTRIBUTION,),
            rows=lambda everyone: _whole(attribution_by_channel(everyone.made(ATTRIBUTION.name))),
        ),
        Recipe(
            model=RETENTION,
            after=(HEAP_SESSIONS,),
            rows=lambda everyone: _whole(retention(everyone.made(HEAP_SESSIONS.name))),
        ),
        Recipe(
            model=PATHS,
            after=(HEAP_EVENTS,),
            rows=lambda everyone: _whole(paths(everyone.made(HEAP_EVENTS.name))),
        ),
    )


class _Recipes:
    def __init__(self, configuration: Configuration, tables: MigratedTables, events: EventTables) -> None:
        self._configuration, self._tables, self._events = configuration, tables, events

    def of_users(self) -> Iterable[Recipe]:
        """Yield the recipes of the user-local models."""
        configuration = self._configuration
        channels = (configuration.channel_rules, configuration.own_domains)
        funnel_events = [self._events.of(event) for event in configuration.funnel_events]
        conversions = [self._events.of(event) for event in configuration.conversion_events]
        every_event = [name for name in self._tables.events if name != SESSIONS.kind]
        yield Recipe(
            model=HEAP_EVENTS,
            rules=self._rules((funnel_events, conversions), *((name, ()) for name in every_event)),
            data=self._data(every_event),
            rows=lambda bucket: heap_events(
                bucket.all_events(without=SESSIONS.kind), funnel_events=funnel_events, conversion_events=conversions
            ),
        )
        yield Recipe(
            model=HEAP_PAGEVIEWS,
            rules=self._rules(configuration.session_gap, (PAGEVIEWS.kind, _PAGE)),
            data=self._data([PAGEVIEWS.kind]),
            rows=lambda bucket: heap_pageviews(
                bucket.table(PAGEVIEWS.kind, ids=("event_id", "session_id", "time"), texts=_PAGE),
                session_gap=configuration.session_gap,
            ),
        )
        yield Recipe(
            model=HEAP_SESSIONS,
            after=(HEAP_EVENTS,),
            rules=self._rules(channels, (SESSIONS.kind, _SESSION)),
            data=self._data([SESSIONS.kind]),
            rows=lambda bucket: heap_sessions(
                bucket.table(SESSIONS.kind, ids=("session_id", "time"), texts=_SESSION),
                _whole(bucket.made(HEAP_EVENTS.name).select(_EVENTS_OF_SESSIONS)),
                rules=configuration.channel_rules,
                own_domains=configuration.own_domains,
            ),
        )
        yield Recipe(
            model=HEAP_USERS,
            rules={**self._rules(channels, (SESSIONS.kind, _INITIAL)), **self._user_rules(None)},
            data=self._data([SESSIONS.kind], with_users=True),
            rows=lambda bucket: heap_users(
                bucket.users(),
                bucket.table(SESSIONS.kind, ids=("session_id", "time"), texts=_INITIAL),
                rules=configuration.channel_rules,
                own_domains=configuration.own_domains,
            ),
        )
        yield self._funnel_users(configuration.funnels)
        yield Recipe(
            model=ATTRIBUTION,
            after=(HEAP_EVENTS, HEAP_SESSIONS),
            rules=self._rules(configuration.attribution),
            rows=lambda bucket: attribution(
                _whole(bucket.made(HEAP_EVENTS.name).filter("heap_event_is_conversion")),
                _whole(bucket.made(HEAP_SESSIONS.name).select(_TOUCHES)),
                lookback=configuration.attribution.lookback,
                half_life=configuration.attribution.half_life,
            ),
        )
        for one in configuration.segments:
            yield self._segment(one)

    def _funnel_users(self, funnels: Sequence[Funnel]) -> Recipe:
        steps = [self._events.of(step.event) for funnel in funnels for step in funnel.steps]
        columns = {name: [*_read_by(funnels, name, self._events)] for name in steps}
        groups = [funnel.group_by for funnel in funnels if funnel.group_by is not None]
        rules = {**self._rules((steps, funnels), *columns.items()), **(self._user_rules(groups) if groups else {})}

        def rows(bucket: UserBucket) -> pl.DataFrame:
            found = [
                funnel_users(
                    bucket.occurrences(funnel),
                    funnel=funnel.name,
                    step_names=[step.event for step in funnel.steps],
                    window=funnel.window,
                    within_session=funnel.scope == "session",
                )
                for funnel in funnels
            ]
            return pl.concat([pl.DataFrame(schema=FUNNEL_USERS.schema), *found])

        data = self._data(steps, with_users=bool(groups))
        return Recipe(model=FUNNEL_USERS, rules=rules, data=data, rows=rows)

    def _segment(self, one: Segment) -> Recipe:
        did, did_not = one.did, one.did_not
        events = [self._events.of(event) for event in (did, did_not) if event is not None]
        return Recipe(
            model=segment_model(one.name),
            rules={**self._rules((one, events), *((event, ()) for event in events)), **self._user_rules(one.where)},
            data=self._data(events, with_users=True),
            rows=lambda bucket: segment(
                bucket.users(list(one.where)),
                where=one.where_texts,
                did=None if did is None else bucket.doers(did),
                did_not=None if did_not is None else bucket.doers(did_not),
            ),
        )

    def _rules(self, configuration: object, *columns: tuple[str, Iterable[str]]) -> dict[str, str]:
        """Return a digest of this part of the configuration, and one for these columns of each table that exists."""
        tables = {
            f"table {name}": table.rule(read)
            for name, read in columns
            if (table := self._tables.events.get(name)) is not None
        }
        return {"configuration": digest(configuration), **tables}

    def _user_rules(self, columns: Iterable[str] | None) -> dict[str, str]:
        users = self._tables.users
        return {"users": "" if users is None else users.rule(users.values if columns is None else columns)}

    def _data(self, names: Iterable[str], *, with_users: bool = False) -> str:
        """Return a digest of the data of these tables; a table that does not exist has a place in it too."""
        tables = {name: self._tables.events.get(name) for name in names}
        users = self._tables.users if with_users else None
        return digest(users and users.data, *((name, table and table.data) for name, table in sorted(tables.items())))


def _read_by(funnels: Sequence[Funnel], table: str, events: EventTables) -> Iterator[str]:
    """Yield the columns of a table that these funnels ask for."""
    for funnel in funnels:
        for number, step in enumerate(funnel.steps):
            if events.of(step.event) == table:
                yield from step.where
                if number == 0 and funnel.group_by is not None:
                    yield funnel.group_by


_EVENTS_OF_SESSIONS = ("heap_user_id", "heap_session_id", "heap_event_time", "heap_event_is_conversion")
_TOUCHES = ("heap_user_id", "heap_session_id", "heap_session_start_time", "heap_session_defined_channel_attribution")


def _funnel_steps(funnels: Sequence[Funnel], reached: pl.LazyFrame) -> pl.DataFrame:
    found = [
        funnel_steps(
            reached,
            funnel=funnel.name,
            step_names=[step.event for step in funnel.steps],
            grouped=funnel.group_by is not None,
        )
        for funnel in funnels
    ]
    return _whole(pl.concat([pl.LazyFrame(schema=FUNNEL_STEPS.schema), *found]))


def _whole(rows: pl.LazyFrame) -> pl.DataFrame:
    return rows.collect(engine="streaming")
