"""The rows of sessions, pageviews and event tables, as the columns that Heap delivers.

Here: times, ids, built-in columns. Not here: custom properties (properties.py), events of servers (server_events.py).
"""

import polars as pl

from heap_assets.sample.calendar import Calendar, Dump
from heap_assets.sample.catalogue import LANDING_HASHES, PAGE_COLUMNS, PAGE_URLS, PRODUCTS
from heap_assets.sample.draws import Draws, Kind, at
from heap_assets.sample.origins import ADDRESSES, DEVICE_COLUMNS, PLACE_COLUMNS, SOURCE_COLUMNS
from heap_assets.sample.properties import EVENT_TYPES, properties, selected
from heap_assets.sample.stories import STEP_COLUMNS, STEPS_BY_TABLE, STEPS_PER_VISIT, TELLS_OF
from heap_assets.sample.visits import shown_product

_MINUTE = 60_000
_SECONDS = pl.Series([f"{moment // 1000:02d}.{moment % 1000:03d}" for moment in range(_MINUTE)])
_UNEVENNESS = 2000
_PACE = 16
_SESSION_DEVICE = ("library", "platform", "device_type", "browser", "device", "carrier", "app_name", "app_version")
_EVENT_DEVICE = ("library", "platform", "device_type", "browser", "app_version")
_UTM = ("utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content")
_PAGEVIEW_PAGE = ("domain", "path", "query", "hash", "title", "view_controller")
_EVENT_PAGE = ("path", "title")


def sessions(calendar: Calendar, draws: Draws, visits: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of ``sessions``: one per visit."""
    return (
        visits.lazy()
        .select(
            draws.identifier(Kind.SESSION_EVENT, pl.col("key")).alias("event_id"),
            "user_id",
            "session_id",
            time_text(calendar, pl.col("start")).alias("time"),
            *_device(_SESSION_DEVICE[:3]),
            *_place(),
            *_source(("referrer",)),
            *_landing(),
            *_device(("browser",)),
            *_source(("search_keyword", *_UTM)),
            *_device(_SESSION_DEVICE[4:]),
        )
        .collect()
    )


def pageviews(calendar: Calendar, draws: Draws, visits: pl.DataFrame, dump: Dump) -> pl.DataFrame:
    """Return the rows of ``pageviews``."""
    rows = _steps(draws, visits, "pageviews")
    previous = at(STEP_COLUMNS["previous_page"], pl.col("step")) * PRODUCTS
    previous += shown_product(draws, at(STEP_COLUMNS["previous_product"], pl.col("step")))
    return rows.select(
        *_ids(draws),
        _time(calendar),
        *_device(_SESSION_DEVICE[:3]),
        *_place(),
        *_source(("referrer",)),
        *_landing(),
        *_device(("browser",)),
        *_source(_UTM),
        *_device(("device", "app_name", "app_version")),
        *_page(_PAGEVIEW_PAGE),
        at(PAGE_URLS, previous).alias("heap_previous_page"),
        *properties("pageviews", dump),
    ).collect()


def events(calendar: Calendar, draws: Draws, visits: pl.DataFrame, dump: Dump, table: str) -> pl.DataFrame:
    """Return the rows of an event table that visits fill."""
    rows = selected(_steps(draws, visits, table), table, dump)
    return rows.select(
        *_ids(draws),
        _time(calendar),
        pl.lit(EVENT_TYPES[table]).alias("type"),
        *_device(_EVENT_DEVICE[:3]),
        *_place(),
        *_source(("referrer",)),
        at(PAGE_URLS, pl.col("landing")).alias("landing_page"),
        *_device(_EVENT_DEVICE[3:]),
        *_source(_UTM[:3]),
        *_page(_EVENT_PAGE),
        *properties(table, dump),
    ).collect()


def time_text(calendar: Calendar, moment: pl.Expr) -> pl.Expr:
    """Return a time (epoch ms) as Heap writes it: ``2026-06-01 10:11:12.345``."""
    # Joining two looked-up texts costs a third of formatting each time.
    since = moment - calendar.origin
    return pl.concat_str(at(calendar.minute_texts, since // _MINUTE), at(_SECONDS, since % _MINUTE))


def _steps(draws: Draws, visits: pl.DataFrame, table: str) -> pl.LazyFrame:
    """Return one row per step of the visits' stories that belongs to a table."""
    telling = visits.lazy().filter(at(TELLS_OF[table], pl.col("story")))
    rows = telling.with_columns(step=at(STEPS_BY_TABLE[table], pl.col("story"))).explode("step")
    rows = rows.with_columns(
        event=pl.col("key") * STEPS_PER_VISIT + at(STEP_COLUMNS["number"], pl.col("step")),
        shown=shown_product(draws, at(STEP_COLUMNS["product"], pl.col("step"))),
    )
    return rows.with_columns(chance=draws.number(pl.col("event"), "event"))


def _time(calendar: Calendar) -> pl.Expr:
    offset = at(STEP_COLUMNS["offset"], pl.col("step")) * pl.col("pace") // _PACE + pl.col("chance") % _UNEVENNESS
    return time_text(calendar, pl.col("start") + offset.cast(pl.Int64)).alias("time")


def _ids(draws: Draws) -> list[pl.Expr]:
    event_id = draws.identifier(Kind.EVENT, pl.col("event")).alias("event_id")
    return [event_id, pl.col("user_id"), pl.col("session_id")]


def _device(names: tuple[str, ...]) -> list[pl.Expr]:
    return [at(DEVICE_COLUMNS[name], pl.col("profile")).alias(name) for name in names]


def _place() -> list[pl.Expr]:
    place = [at(values, pl.col("place")).alias(name) for name, values in PLACE_COLUMNS.items()]
    return [*place, at(ADDRESSES, pl.col("address")).alias("ip")]


def _source(names: tuple[str, ...]) -> list[pl.Expr]:
    return [at(SOURCE_COLUMNS[name], pl.col("source")).alias(name) for name in names]


def _landing() -> list[pl.Expr]:
    return [
        at(PAGE_URLS, pl.col("landing")).alias("landing_page"),
        *_source(("landing_page_query",)),
        at(LANDING_HASHES, pl.col("landing")).alias("landing_page_hash"),
    ]


def _page(names: tuple[str, ...]) -> list[pl.Expr]:
    page = at(STEP_COLUMNS["page"], pl.col("step")) * PRODUCTS + pl.col("shown")
    return [at(PAGE_COLUMNS[name], page).alias(name) for name in names]
