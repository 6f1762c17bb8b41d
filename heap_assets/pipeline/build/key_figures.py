"""The key figures of a small model: the few numbers and bars by which a person judges it.

In: the model's rows. Out: named numbers, and shares to draw. Not here: drawing (defs/assets/metadata.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from heap_assets.analytics_models import ATTRIBUTION_BY_CHANNEL, FUNNEL_STEPS, PATHS, RETENTION
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.model_making import AnalyzedModel

_MOST_BARS = 8
_SHOWN_MODEL = "linear"


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled share between 0 and 1, and what it says."""

    label: str
    share: float
    told: str


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """Named numbers, and bars below a heading."""

    numbers: Mapping[str, float | int] = field(default_factory=dict)
    heading: str = ""
    bars: tuple[Bar, ...] = ()


def key_figures(storage: Storage, analyzed: AnalyzedModel) -> KeyFigures:
    """Return the key figures of a model; none of a large one, and of one without rows."""
    figures = _FIGURES.get(analyzed.model.name)
    if figures is None or not analyzed.made.rows:
        return KeyFigures()
    return figures(analyzed.rows(storage).collect())


def _of_funnel_steps(rows: pl.DataFrame) -> KeyFigures:
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
    return KeyFigures(numbers, f"Funnel {first}", tuple(bars[:_MOST_BARS]))


def _of_attribution(rows: pl.DataFrame) -> KeyFigures:
    channels = (
        rows.filter(pl.col("model") == _SHOWN_MODEL)
        .group_by("channel")
        .agg(pl.col("conversions").sum())
        .sort("conversions", "channel", descending=[True, False])
    )
    total = float(channels["conversions"].sum())
    bars = [
        Bar(channel, conversions / total, f"{conversions:,.1f}, {conversions / total:.0%}")
        for channel, conversions in channels.head(_MOST_BARS).iter_rows()
    ]
    numbers = {"conversions": round(total, 6), "channels": channels.height}
    return KeyFigures(numbers, "Conversions by channel, linear", tuple(bars))


def _of_retention(rows: pl.DataFrame) -> KeyFigures:
    """Return how many come back in the weeks after, over the cohorts that are old enough to be there."""
    weeks = rows.filter(pl.col("period") == "week")
    # of each later week only those cohorts count for which it has come
    last = weeks.select((pl.col("cohort") + pl.duration(weeks=pl.col("periods_since"))).max()).item()
    cohorts = weeks.select("cohort", "cohort_size").unique()
    bars = []
    for since in range(1, _MOST_BARS + 1):
        size = int(cohorts.filter(pl.col("cohort") + pl.duration(weeks=since) <= last)["cohort_size"].sum())
        users = int(weeks.filter(pl.col("periods_since") == since)["users"].sum())
        if size:
            bars.append(Bar(f"week {since}", users / size, f"{users / size:.0%}"))
    return KeyFigures(
        {"weekly cohorts": cohorts.height, **({"back after 1 week": bars[0].share} if bars else {})},
        "Users with a session so many weeks after their first",
        tuple(bars),
    )


def _of_paths(rows: pl.DataFrame) -> KeyFigures:
    total = int(rows["sessions"].sum())
    bars = [
        Bar(" > ".join(row[:5]), row[-1] / total, f"{row[-1]:,} sessions, {row[-1] / total:.0%}")
        for row in rows.head(4).iter_rows()
    ]
    return KeyFigures({"sessions": total, "different paths": rows.height}, "Most frequent beginnings", tuple(bars))


_FIGURES: Mapping[str, Callable[[pl.DataFrame], KeyFigures]] = {
    FUNNEL_STEPS.name: _of_funnel_steps,
    ATTRIBUTION_BY_CHANNEL.name: _of_attribution,
    RETENTION.name: _of_retention,
    PATHS.name: _of_paths,
}
