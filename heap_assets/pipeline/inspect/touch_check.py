"""The check of attribution: how many conversions have more touches than count.

It is read off the models as they are kept, so that a refresh tells the same as a full build. Not here: the rule
(quality/attribution.py).
"""

import polars as pl

from heap_assets.analytics_models import ATTRIBUTION, HEAP_EVENTS, HEAP_SESSIONS
from heap_assets.config.model import Attribution
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analytics_state import MadeModel, read_analytics
from heap_assets.pipeline.build.model_making import rows_of
from heap_assets.quality.attribution import touches_outcome
from heap_assets.quality.outcome import Outcome
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.attribution import FIRST_OF_MODELS, cut_conversions

_USER = "heap_user_id"


def touch_outcome(storage: Storage, settings: Attribution) -> Outcome | None:
    """Return how many conversions of the last analysis were cut; None before the first one."""
    models = read_analytics(storage).models
    if not {ATTRIBUTION.name, HEAP_EVENTS.name, HEAP_SESSIONS.name} <= models.keys():
        return None
    attributed = rows_of(ATTRIBUTION, storage, models[ATTRIBUTION.name])
    conversions = attributed.filter(model=FIRST_OF_MODELS).select(pl.len()).collect(engine="streaming").item()
    as_many_as_count = attributed.filter(pl.col("model") == "linear", pl.col("weight") == 1 / settings.max_touches)
    users = as_many_as_count.select(pl.col(_USER).unique()).collect(engine="streaming")

    def theirs(model: Model, made: MadeModel) -> pl.LazyFrame:
        return rows_of(model, storage, made).join(users.lazy(), on=_USER, how="semi", maintain_order="left")

    cut = cut_conversions(
        theirs(HEAP_EVENTS, models[HEAP_EVENTS.name]).filter("heap_event_is_conversion").collect(engine="streaming"),
        theirs(HEAP_SESSIONS, models[HEAP_SESSIONS.name])
        .select(_USER, "heap_session_id", "heap_session_start_time", "heap_session_defined_channel_attribution")
        .collect(engine="streaming"),
        lookback=settings.lookback,
        max_touches=settings.max_touches,
    )
    return touches_outcome(cut, conversions=int(conversions), max_touches=settings.max_touches)
