"""The check of attribution: how many conversions have more touches than count.

It is read off the models as they are kept, so that a refresh tells the same as a full build. Not here: the rule
(quality/attribution.py).
"""

import polars as pl

from heap_assets.config.model import Attribution
from heap_assets.lake.storage import Storage
from heap_assets.models.attribution import ATTRIBUTION, CONVERSIONS, TOUCHES
from heap_assets.models.heap_events import HEAP_EVENTS
from heap_assets.models.heap_sessions import HEAP_SESSIONS
from heap_assets.pipeline.build.analytics_state import read_analytics
from heap_assets.pipeline.build.bucket_frames import BucketFrames
from heap_assets.pipeline.build.migrated_table import NO_TABLES
from heap_assets.pipeline.build.model_build import rows_of
from heap_assets.quality.attribution import touches_outcome
from heap_assets.quality.outcome import Outcome
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

    read = {model.name: rows_of(model, storage, models[model.name]) for model in (HEAP_EVENTS, HEAP_SESSIONS)}
    theirs = {name: rows.join(users.lazy(), on=_USER, how="semi", maintain_order="left") for name, rows in read.items()}
    frames = BucketFrames((CONVERSIONS, TOUCHES), NO_TABLES, theirs)
    cut = cut_conversions(
        frames.read(CONVERSIONS),
        frames.read(TOUCHES),
        lookback=settings.lookback,
        max_touches=settings.max_touches,
    )
    return touches_outcome(cut, conversions=int(conversions), max_touches=settings.max_touches)
