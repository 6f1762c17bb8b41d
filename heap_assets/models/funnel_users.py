"""funnel_users: how far each user got in each funnel of the configuration.

Source: CONTRACT sections 4 and 5. Here: which rows of which tables are occurrences of a step. Not here: the rule
(transforms/analytics/funnels.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from heap_assets.config.model import Funnel
from heap_assets.models.model_columns import HEAP_USER_ID
from heap_assets.models.recipe import CatalogEntry, Frames, Inputs, Read, Recipe, read_users
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.funnels import funnel_users

FUNNEL_USERS = Model(
    name="funnel_users",
    description="One row per funnel, user who did its first step, and step reached.",
    key=("funnel", "heap_user_id", "step_number"),
    columns=(
        Column("funnel", TEXT, "Funnel of the configuration"),
        HEAP_USER_ID,
        Column("group_value", TEXT, "Value of group_by; null without group_by, (none) where it is null"),
        Column("steps_completed", LONG, "How many steps the user got through"),
        Column("step_number", LONG, "Step, from 1"),
        Column("step_name", TEXT, "Event of the step, as configured"),
        Column("step_time", TIME, "When the user did it (UTC)"),
    ),
)

_OCCURRENCES = {
    "heap_user_id": pl.Int64(),
    "heap_session_id": pl.Int64(),
    "heap_event_id": pl.Int64(),
    "time": pl.Datetime("us"),
    "step": pl.Int64(),
}
_GROUP = "group_value"


@dataclass(frozen=True, slots=True, kw_only=True)
class _FunnelParams:
    """A funnel, with the read of each of its steps and of the users, if a column of theirs may group it."""

    name: str
    steps: tuple[str, ...]
    window: timedelta | None
    within_session: bool
    step_reads: tuple[Read, ...]
    users: Read | None


def _recipe(inputs: Inputs) -> Recipe[tuple[_FunnelParams, ...]]:
    funnels = tuple(_params(funnel, inputs) for funnel in inputs.configuration.funnels)
    reads = dict.fromkeys(read for funnel in funnels for read in _reads(funnel))
    return Recipe(model=FUNNEL_USERS, version=1, reads=tuple(reads), transform=_rows, params=funnels)


def _params(funnel: Funnel, inputs: Inputs) -> _FunnelParams:
    group = () if funnel.group_by is None else ((funnel.group_by, _GROUP),)
    within_session = funnel.scope == "session"
    ids = ("event_id", "session_id", "time") if group or within_session else ("time",)
    return _FunnelParams(
        name=funnel.name,
        steps=tuple(step.event for step in funnel.steps),
        window=funnel.window,
        within_session=within_session,
        step_reads=tuple(
            Read(
                table=inputs.events.table_of(step.event),
                ids=ids,
                renamed=() if number else group,
                where=tuple(step.where.items()),
            )
            for number, step in enumerate(funnel.steps)
        ),
        users=read_users((), renamed=group) if group else None,
    )


def _reads(funnel: _FunnelParams) -> Iterator[Read]:
    yield from funnel.step_reads
    if funnel.users is not None:
        yield funnel.users


def _rows(frames: Frames, funnels: tuple[_FunnelParams, ...]) -> pl.DataFrame:
    found = [
        funnel_users(
            _occurrences(frames, funnel),
            funnel=funnel.name,
            step_names=funnel.steps,
            window=funnel.window,
            within_session=funnel.within_session,
        )
        for funnel in funnels
    ]
    return pl.concat([pl.DataFrame(schema=FUNNEL_USERS.schema), *found])


def _occurrences(frames: Frames, funnel: _FunnelParams) -> pl.DataFrame:
    """Return what the rule asks for: a row per event and step that it can serve."""
    parts = [pl.DataFrame(schema=_OCCURRENCES)]
    for number, rows in enumerate(frames.read_all(funnel.step_reads), start=1):
        names = {"user_id": "heap_user_id", "session_id": "heap_session_id", "event_id": "heap_event_id"}
        found = rows.rename(names, strict=False).with_columns(pl.lit(number, dtype=pl.Int64).alias("step"))
        if number == 1 and funnel.users is not None and _GROUP not in rows.columns:
            found = _with_group_of_users(found, frames.read(funnel.users))
        parts.append(found)
    return pl.concat(parts, how="diagonal")


def _with_group_of_users(rows: pl.DataFrame, users: pl.DataFrame) -> pl.DataFrame:
    if _GROUP not in users.columns:
        return rows.with_columns(pl.lit(None, dtype=pl.String).alias(_GROUP))
    return rows.join(users.rename({"user_id": "heap_user_id"}), on="heap_user_id", how="left")


ENTRY = CatalogEntry(model=FUNNEL_USERS, recipe=_recipe)
