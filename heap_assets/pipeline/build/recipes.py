"""The recipes: from which tables, models and configuration each model is made, by which transform.

Not here: what a recipe is (recipe.py), keeping state and files (analysis.py), reading (user_bucket.py), the transforms.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

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
from heap_assets.config.event_names import EventTables
from heap_assets.config.model import Configuration, Funnel, Segment
from heap_assets.pipeline.build.migrated_tables import MigratedTables, digest
from heap_assets.pipeline.build.recipe import Counting, Recipe
from heap_assets.pipeline.build.user_bucket import UserBucket
from heap_assets.schema.heap_tables import PAGEVIEWS, SESSIONS
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.attribution import attribution, attribution_by_channel, share_counts
from heap_assets.transforms.analytics.enriched_users import heap_users
from heap_assets.transforms.analytics.events import heap_events
from heap_assets.transforms.analytics.funnels import funnel_steps, funnel_users
from heap_assets.transforms.analytics.pageview_sessions import heap_pageviews
from heap_assets.transforms.analytics.paths import path_counts, paths
from heap_assets.transforms.analytics.retention import retention, retention_counts
from heap_assets.transforms.analytics.segments import segment
from heap_assets.transforms.analytics.sessions import heap_sessions

_PAGE = ("domain", "path", "query", "hash", "title", "previous_page", "heap_previous_page")
_UTM = ("utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content")
_CHANNEL = ("referrer", "landing_page", "landing_page_query", *_UTM)
_PLACE = ("country", "region", "city")
_SESSION = (*_CHANNEL, *_PLACE, "ip", "landing_page_hash", "browser")
_INITIAL = (*_CHANNEL, *_PLACE, "device_type", "platform", "browser")


def recipes(configuration: Configuration, tables: MigratedTables, events: EventTables) -> tuple[Recipe, ...]:
    """Return the recipe of every model and segment, each after those of the models that it is made of."""
    return (
        *_UserRecipes(configuration, tables, events).all(),
        Recipe(
            model=FUNNEL_STEPS,
            after=(FUNNEL_USERS,),
            rules={"configuration": digest(configuration.funnels)},
            rows=lambda everyone: _funnel_steps(configuration.funnels, everyone.made(FUNNEL_USERS.name)),
        ),
        _counting(
            ATTRIBUTION_BY_CHANNEL,
            ATTRIBUTION,
            Counting(("shares", "parts", "parts_of_parts"), counted=share_counts, whole=attribution_by_channel),
        ),
        _counting(RETENTION, HEAP_SESSIONS, Counting(("users",), counted=retention_counts, whole=retention)),
        _counting(PATHS, HEAP_EVENTS, Counting(("users", "sessions"), counted=path_counts, whole=paths)),
    )


def _counting(model: Model, after: Model, counting: Counting) -> Recipe:
    return Recipe(
        model=model,
        after=(after,),
        rows=lambda everyone: _whole(counting.counted(everyone.made(after.name))),
        counting=counting,
    )


class _UserRecipes:
    """The recipes of the user-local models."""

    def __init__(self, configuration: Configuration, tables: MigratedTables, events: EventTables) -> None:
        self._configuration, self._tables, self._events = configuration, tables, events

    def all(self) -> Iterator[Recipe]:
        """Yield them, each after those of the models that it is made of."""
        configuration = self._configuration
        channels = (configuration.channel_rules, configuration.own_domains)
        funnel_events = [self._events.of(event) for event in configuration.funnel_events]
        conversions = [self._events.of(event) for event in configuration.conversion_events]
        yield self._recipe(
            HEAP_EVENTS,
            follows=(funnel_events, conversions),
            reads={name: () for name in self._tables.events if name != SESSIONS.kind},
            rows=lambda bucket: heap_events(
                bucket.all_events(without=SESSIONS.kind), funnel_events=funnel_events, conversion_events=conversions
            ),
        )
        yield self._recipe(
            HEAP_PAGEVIEWS,
            follows=configuration.session_gap,
            reads={PAGEVIEWS.kind: _PAGE},
            rows=lambda bucket: heap_pageviews(
                bucket.table(PAGEVIEWS.kind, ids=("event_id", "session_id", "time"), texts=_PAGE),
                session_gap=configuration.session_gap,
            ),
        )
        yield self._recipe(
            HEAP_SESSIONS,
            after=(HEAP_EVENTS,),
            follows=channels,
            reads={SESSIONS.kind: _SESSION},
            rows=lambda bucket: heap_sessions(
                bucket.table(SESSIONS.kind, ids=("session_id", "time"), texts=_SESSION),
                _whole(bucket.made(HEAP_EVENTS.name).select(_EVENTS_OF_SESSIONS)),
                rules=configuration.channel_rules,
                own_domains=configuration.own_domains,
            ),
        )
        yield self._recipe(
            HEAP_USERS,
            follows=channels,
            reads={SESSIONS.kind: _INITIAL},
            of_users=() if self._tables.users is None else tuple(self._tables.users.values),
            rows=lambda bucket: heap_users(
                bucket.users(),
                bucket.table(SESSIONS.kind, ids=("session_id", "time"), texts=_INITIAL),
                rules=configuration.channel_rules,
                own_domains=configuration.own_domains,
            ),
        )
        yield self._funnel_users(configuration.funnels)
        yield self._recipe(
            ATTRIBUTION,
            after=(HEAP_EVENTS, HEAP_SESSIONS),
            follows=configuration.attribution,
            reads={},
            rows=lambda bucket: attribution(
                _whole(bucket.made(HEAP_EVENTS.name).filter("heap_event_is_conversion")),
                _whole(bucket.made(HEAP_SESSIONS.name).select(_TOUCHES)),
                lookback=configuration.attribution.lookback,
                half_life=configuration.attribution.half_life,
                max_touches=configuration.attribution.max_touches,
            ),
        )
        for one in configuration.segments:
            yield self._segment(one)

    def _funnel_users(self, funnels: Sequence[Funnel]) -> Recipe:
        steps = [self._events.of(step.event) for funnel in funnels for step in funnel.steps]
        groups = [funnel.group_by for funnel in funnels if funnel.group_by is not None]

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

        return self._recipe(
            FUNNEL_USERS,
            follows=(steps, funnels),
            reads={name: [*_read_by(funnels, name, self._events)] for name in steps},
            of_users=groups or None,
            rows=rows,
        )

    def _segment(self, one: Segment) -> Recipe:
        did, did_not = one.did, one.did_not
        events = [self._events.of(event) for event in (did, did_not) if event is not None]
        return self._recipe(
            segment_model(one.name),
            follows=(one, events),
            reads=dict.fromkeys(events, ()),
            of_users=tuple(one.where),
            rows=lambda bucket: segment(
                bucket.users(list(one.where)),
                where=one.where,
                did=None if did is None else bucket.doers(did),
                did_not=None if did_not is None else bucket.doers(did_not),
            ),
        )

    def _recipe(
        self,
        model: Model,
        *,
        after: tuple[Model, ...] = (),
        follows: object,
        reads: Mapping[str, Collection[str]],
        of_users: Collection[str] | None = None,
        rows: Callable[[UserBucket], pl.DataFrame],
    ) -> Recipe:
        """Return a recipe that follows this part of the configuration, and reads these columns of tables and users.

        A table that does not exist has no rule, and a place in the data: a model changes when it comes.
        """
        tables = {name: self._tables.events.get(name) for name in reads}
        users = None if of_users is None else self._tables.users
        rules = {"configuration": digest(follows)}
        rules |= {f"table {name}": table.rule(reads[name]) for name, table in tables.items() if table is not None}
        if of_users is not None:
            rules["users"] = "" if users is None else users.rule(of_users)
        data = ((name, table and table.data) for name, table in sorted(tables.items()))
        return Recipe(
            model=model,
            after=after,
            reads=reads,
            rules=rules,
            data=digest(users and users.data, *data),
            rows=rows,
        )


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
