"""attribution: to which sessions each conversion is owed, by several models of attribution.

Source: CONTRACT section 4. Not here: the rule (transforms/analytics/attribution.py).
"""

import polars as pl

from heap_assets.config.model import Attribution
from heap_assets.models.heap_events import HEAP_EVENTS
from heap_assets.models.heap_sessions import HEAP_SESSIONS
from heap_assets.models.model_columns import HEAP_USER_ID
from heap_assets.models.recipe import CatalogEntry, Frames, Inputs, Recipe, read_model
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import DOUBLE, LONG, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.attribution import attribution

ATTRIBUTION = Model(
    name="attribution",
    description="One row per model, conversion and session that it is owed to; weights of a conversion sum to 1.",
    key=("model", "heap_event_name", "heap_event_id", "heap_user_id", "heap_session_id"),
    columns=(
        Column("model", TEXT, "first_touch, last_touch, last_non_direct_touch, linear, position_based or time_decay"),
        Column("heap_event_id", LONG, "The conversion"),
        Column("heap_event_name", TEXT, "Event that it is"),
        HEAP_USER_ID,
        Column("conversion_time", TIME, "When it happened (UTC)"),
        Column("heap_session_id", LONG, "The touch; null if there is none within the lookback"),
        Column("channel", TEXT, "Channel of the touch; Unattributed without one"),
        Column("weight", DOUBLE, "Share of the conversion"),
    ),
)

CONVERSIONS = read_model(
    HEAP_EVENTS,
    "heap_event_id",
    "heap_event_name",
    "heap_user_id",
    "heap_event_time",
    "heap_event_is_conversion",
    where=(("heap_event_is_conversion", "true"),),
)
TOUCHES = read_model(
    HEAP_SESSIONS,
    "heap_user_id",
    "heap_session_id",
    "heap_session_start_time",
    "heap_session_defined_channel_attribution",
)


def _recipe(inputs: Inputs) -> Recipe[Attribution]:
    return Recipe(
        model=ATTRIBUTION,
        version=1,
        reads=(CONVERSIONS, TOUCHES),
        transform=_rows,
        params=inputs.configuration.attribution,
    )


def _rows(frames: Frames, settings: Attribution) -> pl.DataFrame:
    return attribution(
        frames.read(CONVERSIONS),
        frames.read(TOUCHES),
        lookback=settings.lookback,
        half_life=settings.half_life,
        max_touches=settings.max_touches,
    )


ENTRY = CatalogEntry(model=ATTRIBUTION, recipe=_recipe)
