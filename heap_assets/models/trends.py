"""trends: events, users and sessions per day and event.

Source: CONTRACT section 4. Not here: the rule (transforms/analytics/trends.py).
"""

import polars as pl

from heap_assets.models.heap_events import HEAP_EVENTS
from heap_assets.models.key_figures import MOST_BARS, Bar, KeyFigures
from heap_assets.models.recipe import CatalogEntry, Counting, Inputs, Recipe, read_model
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG, TEXT
from heap_assets.schema.model import Model
from heap_assets.schema.value_types import DATE
from heap_assets.transforms.analytics.trends import COUNTS, trend_counts, trends

TRENDS = Model(
    name="trends",
    description="How many events, users and sessions there are of each event on each day (UTC).",
    key=("day", "event_name"),
    columns=(
        Column("day", DATE, "Day (UTC)"),
        Column("event_name", TEXT, "Event, as in heap_events.heap_event_name"),
        Column("users", LONG, "Distinct people with the event on that day"),
        Column("events", LONG, "Events"),
        Column("sessions", LONG, "Distinct sessions with the event on that day"),
    ),
    small=True,
    user_local=False,
)
_EVENTS = read_model(HEAP_EVENTS, "heap_user_id", "heap_session_id", "heap_event_name", "heap_event_time")


def _recipe(_inputs: Inputs) -> Recipe[None]:
    return Recipe(
        model=TRENDS,
        version=1,
        reads=(_EVENTS,),
        params=None,
        counting=Counting(COUNTS, trend_counts, trends),
    )


def _key_figures(rows: pl.DataFrame) -> KeyFigures:
    """Return how many events there are of each kind, the most frequent first."""
    events = (
        rows.group_by("event_name").agg(pl.col("events").sum()).sort("events", "event_name", descending=[True, False])
    )
    total = int(events["events"].sum())
    bars = [
        Bar(name, count / total, f"{count:,}, {count / total:.0%}")
        for name, count in events.head(MOST_BARS).iter_rows()
    ]
    return KeyFigures({"events": total, "days": rows["day"].n_unique()}, "Events", tuple(bars))


ENTRY = CatalogEntry(model=TRENDS, recipe=_recipe, key_figures=_key_figures)
