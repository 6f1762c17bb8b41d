"""Segments: the users for whom all conditions of a configured segment hold, a model each.

Source: CONTRACT section 5. Not here: the rule (transforms/analytics/segments.py).
"""

from dataclasses import dataclass

import polars as pl

from heap_assets.config.model import Segment
from heap_assets.models.recipe import Frames, Inputs, Read, Recipe, read_users
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import LONG
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.segments import segment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Params:
    where: tuple[tuple[str, str], ...]
    users: Read
    did: Read | None
    did_not: Read | None


def segment_model(name: str) -> Model:
    """Return the model of a configured segment; it is published in the schema with migrations."""
    return Model(
        name=f"segment_{name}",
        description=f"Users of the segment {name}, as the configuration defines it.",
        key=("user_id",),
        columns=(Column("user_id", LONG, "The person, after merging"),),
        user="user_id",
        small=True,
    )


def segment_recipes(inputs: Inputs) -> tuple[Recipe[_Params], ...]:
    """Return the recipe of each segment of the configuration."""
    return tuple(_recipe(one, inputs) for one in inputs.configuration.segments)


def _recipe(one: Segment, inputs: Inputs) -> Recipe[_Params]:
    users = read_users(tuple(one.where))
    did, did_not = (
        None if event is None else Read(table=inputs.events.table_of(event)) for event in (one.did, one.did_not)
    )
    return Recipe(
        model=segment_model(one.name),
        version=1,
        reads=(users, *(read for read in (did, did_not) if read is not None)),
        transform=_rows,
        params=_Params(where=tuple(one.where.items()), users=users, did=did, did_not=did_not),
    )


def _rows(frames: Frames, params: _Params) -> pl.DataFrame:
    return segment(
        frames.read(params.users),
        where=dict(params.where),
        did=None if params.did is None else frames.read(params.did),
        did_not=None if params.did_not is None else frames.read(params.did_not),
    )
