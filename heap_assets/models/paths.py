"""paths: with which five events sessions begin.

Source: Heap's SQL recipe; CONTRACT section 4. Not here: the rule (transforms/analytics/paths.py).
"""

import polars as pl

from heap_assets.models.heap_events import HEAP_EVENTS
from heap_assets.models.key_figures import Bar, KeyFigures
from heap_assets.models.recipe import CatalogEntry, Counting, Inputs, Recipe, read_model
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG, TEXT
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.paths import path_counts, paths

PATHS = Model(
    name="paths",
    description="With which five events sessions begin, and how often; only sessions with at least five.",
    key=("step_1", "step_2", "step_3", "step_4", "step_5"),
    columns=(
        *(Column(f"step_{place}", TEXT, f"Event {place} of the session") for place in range(1, 6)),
        Column("users", LONG, "Users with such a session"),
        Column("sessions", LONG, "Sessions that begin so"),
    ),
    small=True,
    user_local=False,
)

_EVENTS = read_model(HEAP_EVENTS, "heap_user_id", "heap_event_name", "heap_session_event_sequence")
_MOST_PATHS = 4


def _recipe(_inputs: Inputs) -> Recipe[None]:
    return Recipe(
        model=PATHS,
        version=1,
        reads=(_EVENTS,),
        params=None,
        counting=Counting(("users", "sessions"), path_counts, paths),
    )


def _key_figures(rows: pl.DataFrame) -> KeyFigures:
    total = int(rows["sessions"].sum())
    bars = [
        Bar(" > ".join(row[:5]), row[-1] / total, f"{row[-1]:,} sessions, {row[-1] / total:.0%}")
        for row in rows.head(_MOST_PATHS).iter_rows()
    ]
    return KeyFigures({"sessions": total, "different paths": rows.height}, "Most frequent beginnings", tuple(bars))


ENTRY = CatalogEntry(model=PATHS, recipe=_recipe, key_figures=_key_figures)
