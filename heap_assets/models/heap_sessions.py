"""heap_sessions: one row per session of a resolved user.

Source: the models of Heap's dbt project for name and intent; CONTRACT section 4. Not here: the rule
(transforms/analytics/sessions.py).
"""

import polars as pl

from heap_assets.models.heap_events import HEAP_EVENTS
from heap_assets.models.model_columns import HEAP_USER_ID, OF_CHANNELS, PLACE, UTM, texts
from heap_assets.models.recipe import (
    CatalogEntry,
    ChannelParams,
    Frames,
    Inputs,
    Read,
    Recipe,
    channel_params,
    read_model,
)
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import BOOLEAN, LONG, SESSIONS, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.sessions import heap_sessions

HEAP_SESSIONS = Model(
    name="heap_sessions",
    description="One row per session: its place among the user's, its end, its events, where it came from.",
    key=("heap_session_id", "heap_user_id"),
    columns=(
        Column("heap_session_id", LONG, "Id of the session, made by Heap"),
        HEAP_USER_ID,
        Column("heap_session_sequence_num", LONG, "Number of the session among the user's, from 1"),
        Column("heap_session_start_time", TIME, "When it began (UTC)"),
        Column("heap_session_end_time", TIME, "The later of its begin and its last event (UTC)"),
        Column("heap_session_event_count", LONG, "Pageviews and events in it"),
        Column("heap_session_conversion_lookback_14d", TIME, "Its begin less 14 days (UTC)"),
        Column("heap_session_conversion_lookforward_14d", TIME, "Its begin and 14 days (UTC)"),
        *texts("heap_session_", "the user", ("country", "region", "city", "ip")),
        Column("heap_session_referrer", TEXT, "Page that led to the site; null for direct"),
        *texts(
            "heap_session_",
            "the session",
            ("landing_page", "landing_page_query", "landing_page_hash", "browser", *UTM),
        ),
        Column("heap_session_defined_channel_attribution", TEXT, "Channel: the first rule that matches"),
        Column("heap_session_is_conversion", BOOLEAN, "Whether a conversion event of the user is in it"),
    ),
)

_SESSIONS = Read(
    table=SESSIONS.kind,
    ids=("session_id", "time"),
    columns=(*OF_CHANNELS, *PLACE, "ip", "landing_page_hash", "browser"),
)
_EVENTS = read_model(HEAP_EVENTS, "heap_user_id", "heap_session_id", "heap_event_time", "heap_event_is_conversion")


def _recipe(inputs: Inputs) -> Recipe[ChannelParams]:
    return Recipe(
        model=HEAP_SESSIONS,
        version=1,
        reads=(_SESSIONS, _EVENTS),
        transform=_rows,
        params=channel_params(inputs.configuration),
    )


def _rows(frames: Frames, channels: ChannelParams) -> pl.DataFrame:
    return heap_sessions(
        frames.read(_SESSIONS), frames.read(_EVENTS), rules=channels.rules, own_domains=channels.own_domains
    )


ENTRY = CatalogEntry(model=HEAP_SESSIONS, recipe=_recipe)
