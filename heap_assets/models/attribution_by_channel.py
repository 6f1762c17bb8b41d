"""attribution_by_channel: conversions of each channel by day, by several models of attribution.

Source: CONTRACT section 4. Not here: the rule (transforms/analytics/attribution.py).
"""

import polars as pl

from heap_assets.models.attribution import ATTRIBUTION
from heap_assets.models.key_figures import MOST_BARS, Bar, KeyFigures
from heap_assets.models.recipe import CatalogEntry, Counting, Inputs, Recipe, read_model
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import DOUBLE, TEXT
from heap_assets.schema.model import Model
from heap_assets.schema.value_types import DATE
from heap_assets.transforms.analytics.attribution import SHARE_COUNTS, attribution_by_channel, share_counts

ATTRIBUTION_BY_CHANNEL = Model(
    name="attribution_by_channel",
    description="How many conversions each attribution model gives each channel, by day.",
    key=("model", "day", "channel"),
    columns=(
        Column("model", TEXT, "Attribution model"),
        Column("day", DATE, "Day of the conversion (UTC)"),
        Column("channel", TEXT, "Channel"),
        Column("conversions", DOUBLE, "Sum of weights"),
    ),
    small=True,
    user_local=False,
)

_ATTRIBUTED = read_model(ATTRIBUTION, "model", "conversion_time", "channel", "weight")
_SHOWN_MODEL = "linear"


def _recipe(_inputs: Inputs) -> Recipe[None]:
    return Recipe(
        model=ATTRIBUTION_BY_CHANNEL,
        version=1,
        reads=(_ATTRIBUTED,),
        params=None,
        counting=Counting(SHARE_COUNTS, share_counts, attribution_by_channel),
    )


def _key_figures(rows: pl.DataFrame) -> KeyFigures:
    channels = (
        rows.filter(pl.col("model") == _SHOWN_MODEL)
        .group_by("channel")
        .agg(pl.col("conversions").sum())
        .sort("conversions", "channel", descending=[True, False])
    )
    total = float(channels["conversions"].sum())
    bars = [
        Bar(channel, conversions / total, f"{conversions:,.1f}, {conversions / total:.0%}")
        for channel, conversions in channels.head(MOST_BARS).iter_rows()
    ]
    numbers = {"conversions": round(total, 6), "channels": channels.height}
    return KeyFigures(numbers, "Conversions by channel, linear", tuple(bars))


ENTRY = CatalogEntry(model=ATTRIBUTION_BY_CHANNEL, recipe=_recipe, key_figures=_key_figures)
