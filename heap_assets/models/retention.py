"""retention: how many users of a cohort come back in the weeks and months after.

Source: CONTRACT section 4. Not here: the rule (transforms/analytics/retention.py).
"""

import polars as pl

from heap_assets.models.heap_sessions import HEAP_SESSIONS
from heap_assets.models.key_figures import MOST_BARS, Bar, KeyFigures
from heap_assets.models.recipe import CatalogEntry, Counting, Inputs, Recipe, read_model
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import DOUBLE, LONG, TEXT
from heap_assets.schema.model import Model
from heap_assets.schema.value_types import DATE
from heap_assets.transforms.analytics.retention import retention, retention_counts

RETENTION = Model(
    name="retention",
    description="Of the users whose first session was in a week or month, how many had one in the periods after.",
    key=("period", "cohort", "periods_since"),
    columns=(
        Column("period", TEXT, "week (from Monday) or month"),
        Column("cohort", DATE, "Day on which the period of the first session begins (UTC)"),
        Column("periods_since", LONG, "Weeks or months since"),
        Column("users", LONG, "Users of the cohort with a session in that period"),
        Column("cohort_size", LONG, "Users of the cohort"),
        Column("rate", DOUBLE, "users over cohort_size"),
    ),
    small=True,
    user_local=False,
)

_SESSIONS = read_model(HEAP_SESSIONS, "heap_user_id", "heap_session_start_time")


def _recipe(_inputs: Inputs) -> Recipe[None]:
    return Recipe(
        model=RETENTION,
        version=1,
        reads=(_SESSIONS,),
        params=None,
        counting=Counting(("users",), retention_counts, retention),
    )


def _key_figures(rows: pl.DataFrame) -> KeyFigures:
    """Return how many come back in the weeks after, over the cohorts that are old enough to be there."""
    weeks = rows.filter(pl.col("period") == "week")
    # of each later week only those cohorts count for which it has come
    last = weeks.select((pl.col("cohort") + pl.duration(weeks=pl.col("periods_since"))).max()).item()
    cohorts = weeks.select("cohort", "cohort_size").unique()
    bars = []
    for since in range(1, MOST_BARS + 1):
        size = int(cohorts.filter(pl.col("cohort") + pl.duration(weeks=since) <= last)["cohort_size"].sum())
        users = int(weeks.filter(pl.col("periods_since") == since)["users"].sum())
        if size:
            bars.append(Bar(f"week {since}", users / size, f"{users / size:.0%}"))
    return KeyFigures(
        {"weekly cohorts": cohorts.height, **({"back after 1 week": bars[0].share} if bars else {})},
        "Users with a session so many weeks after their first",
        tuple(bars),
    )


ENTRY = CatalogEntry(model=RETENTION, recipe=_recipe, key_figures=_key_figures)
