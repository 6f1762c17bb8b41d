"""heap_pageviews: one row per pageview, in sessions of our own.

Source: the models of Heap's dbt project for name and intent; CONTRACT section 4. Not here: the rule
(transforms/analytics/pageview_sessions.py).
"""

from datetime import timedelta

import polars as pl

from heap_assets.models.model_columns import HEAP_USER_ID, columns, texts
from heap_assets.models.recipe import CatalogEntry, Frames, Inputs, Read, Recipe
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG, PAGEVIEWS, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.pageview_sessions import heap_pageviews

HEAP_PAGEVIEWS = Model(
    name="heap_pageviews",
    description="One row per pageview, in sessions of our own: a pause longer than session_gap starts the next one.",
    key=("heap_pageview_id", "heap_user_id"),
    columns=(
        Column("heap_pageview_id", LONG, "Id of the pageview, made by Heap"),
        HEAP_USER_ID,
        Column("heap_session_id", LONG, "Heap's own session"),
        Column("heap_pageview_time", TIME, "When the page was viewed (UTC)"),
        *texts("heap_pageview_", "the page", ("domain", "path", "query", "hash", "title")),
        Column("heap_pageview_previous_page", TEXT, "Page before this one, as Heap recorded it"),
        *columns(
            "heap_pageview_session_",
            ("id", TEXT, "Our session of pageviews: user and index"),
            ("index", LONG, "Number of the session among the user's, from 0"),
            ("sequence_number", LONG, "Place of the pageview in the session, from 1"),
            ("start_time", TIME, "First pageview of the session (UTC)"),
            ("end_time", TIME, "Last pageview of the session (UTC)"),
            ("first_pageview_id", LONG, "The session's first pageview"),
            ("last_pageview_id", LONG, "The session's last pageview with a time"),
            ("start_epoch", LONG, "start_time in whole seconds since 1970"),
            ("end_epoch", LONG, "end_time in whole seconds since 1970"),
        ),
    ),
)

_PAGEVIEWS = Read(
    table=PAGEVIEWS.kind,
    ids=("event_id", "session_id", "time"),
    columns=("domain", "path", "query", "hash", "title", "previous_page", "heap_previous_page"),
)


def _recipe(inputs: Inputs) -> Recipe[timedelta]:
    return Recipe(
        model=HEAP_PAGEVIEWS,
        version=1,
        reads=(_PAGEVIEWS,),
        transform=_rows,
        params=inputs.configuration.session_gap,
    )


def _rows(frames: Frames, session_gap: timedelta) -> pl.DataFrame:
    return heap_pageviews(frames.read(_PAGEVIEWS), session_gap=session_gap)


ENTRY = CatalogEntry(model=HEAP_PAGEVIEWS, recipe=_recipe)
