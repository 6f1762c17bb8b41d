"""heap_users: one row per person, with what is known of the first session.

Source: the models of Heap's dbt project for name and intent; CONTRACT section 4. Not here: the rule
(transforms/analytics/enriched_users.py).
"""

import polars as pl

from heap_assets.models.model_columns import OF_CHANNELS, PLACE, UTM, texts
from heap_assets.models.recipe import (
    CatalogEntry,
    ChannelParams,
    Frames,
    Inputs,
    Read,
    Recipe,
    channel_params,
    read_users,
)
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG, SESSIONS, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.enriched_users import heap_users

HEAP_USERS = Model(
    name="heap_users",
    user="user_id",
    description="One row per person: all columns of users, labeled properties, and initial_* of the first session.",
    key=("user_id",),
    columns=(
        Column("user_id", LONG, "The person, after merging"),
        Column("initial_session_time", TIME, "Begin of the first session (UTC)"),
        Column("initial_referrer", TEXT, "Page that led to the site then; null for direct"),
        *texts("initial_", "the first session", ("landing_page", *UTM)),
        *texts("initial_", "the first session", ("device_type", "platform", "browser", "country", "region", "city")),
        Column("initial_marketing_channel", TEXT, "Channel of the first session"),
    ),
)

_USERS = read_users()
_SESSIONS = Read(
    table=SESSIONS.kind,
    ids=("session_id", "time"),
    columns=(*OF_CHANNELS, *PLACE, "device_type", "platform", "browser"),
)


def _recipe(inputs: Inputs) -> Recipe[ChannelParams]:
    return Recipe(
        model=HEAP_USERS,
        version=1,
        reads=(_USERS, _SESSIONS),
        transform=_rows,
        params=channel_params(inputs.configuration),
    )


def _rows(frames: Frames, channels: ChannelParams) -> pl.DataFrame:
    return heap_users(
        frames.read(_USERS), frames.read(_SESSIONS), rules=channels.rules, own_domains=channels.own_domains
    )


ENTRY = CatalogEntry(model=HEAP_USERS, recipe=_recipe)
