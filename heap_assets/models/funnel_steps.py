"""funnel_steps: how many users got how far in each funnel.

Source: CONTRACT section 4. Not here: the rule (transforms/analytics/funnels.py).
"""

from dataclasses import dataclass

import polars as pl

from heap_assets.models.funnel_users import FUNNEL_USERS
from heap_assets.models.key_figures import MOST_BARS, Bar, KeyFigures
from heap_assets.models.recipe import CatalogEntry, Frames, Inputs, Recipe, read_model
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import DOUBLE, LONG, TEXT
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.funnels import funnel_steps

FUNNEL_STEPS = Model(
    name="funnel_steps",
    description="How many users got how far in each funnel, at which rate, and how long it took them.",
    key=("funnel", "group_value", "step_number"),
    columns=(
        Column("funnel", TEXT, "Funnel of the configuration"),
        Column("group_value", TEXT, "Value of group_by; null without group_by, (none) where it is null"),
        Column("step_number", LONG, "Step, from 1"),
        Column("step_name", TEXT, "Event of the step, as configured"),
        Column("users", LONG, "Users who reached it"),
        Column("conversion_from_start", DOUBLE, "Share of those who did the first step"),
        Column("conversion_from_previous", DOUBLE, "Share of those who did the step before; null if nobody did"),
        Column("median_seconds_from_previous", DOUBLE, "Median time since the step before, in seconds"),
        Column("median_seconds_from_start", DOUBLE, "Median time since the first step, in seconds"),
    ),
    small=True,
    user_local=False,
)

_REACHED = read_model(FUNNEL_USERS, "funnel", "heap_user_id", "group_value", "step_number", "step_time")


@dataclass(frozen=True, slots=True, kw_only=True)
class _FunnelParams:
    name: str
    steps: tuple[str, ...]
    grouped: bool


def _recipe(inputs: Inputs) -> Recipe[tuple[_FunnelParams, ...]]:
    funnels = tuple(
        _FunnelParams(
            name=funnel.name,
            steps=tuple(step.event for step in funnel.steps),
            grouped=funnel.group_by is not None,
        )
        for funnel in inputs.configuration.funnels
    )
    return Recipe(model=FUNNEL_STEPS, version=1, reads=(_REACHED,), transform=_rows, params=funnels)


def _rows(frames: Frames, funnels: tuple[_FunnelParams, ...]) -> pl.DataFrame:
    reached = frames.read(_REACHED).lazy()
    found = [
        funnel_steps(reached, funnel=funnel.name, step_names=funnel.steps, grouped=funnel.grouped) for funnel in funnels
    ]
    return pl.concat([pl.LazyFrame(schema=FUNNEL_STEPS.schema), *found]).collect(engine="streaming")


def _key_figures(rows: pl.DataFrame) -> KeyFigures:
    """Return the conversion of each funnel over all its groups, and the steps of the first."""
    steps = rows.group_by("funnel", "step_number", "step_name", maintain_order=True).agg(pl.col("users").sum())
    shares = steps.sort("step_number").with_columns(
        (pl.col("users") / pl.col("users").first().over("funnel")).fill_nan(0).alias("share")
    )
    numbers = {f"conversion of {row['funnel']}": float(row["share"]) for row in shares.iter_rows(named=True)}
    first = rows["funnel"][0]
    bars = [
        Bar(row["step_name"], row["share"], f"{row['users']:,} users, {row['share']:.0%}")
        for row in shares.filter(pl.col("funnel") == first).iter_rows(named=True)
    ]
    return KeyFigures(numbers, f"Funnel {first}", tuple(bars[:MOST_BARS]))


ENTRY = CatalogEntry(model=FUNNEL_STEPS, recipe=_recipe, key_figures=_key_figures)
