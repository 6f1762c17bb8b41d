"""What is built of one bucket of users: the rows of user-local models as files, the counts of others as frames.

It knows nothing of other buckets and may run anywhere, and more than once: each run writes files of its own. Not here:
which recipes (model_build.py), where it runs (engines/).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl

from heap_assets.lake.layers import Layer, RowsByUser
from heap_assets.lake.storage import Storage
from heap_assets.models.recipe import Recipe
from heap_assets.pipeline.build.bucket_frames import BucketFrames
from heap_assets.pipeline.build.migrated_table import MigratedTables
from heap_assets.schema.model import Model

FOLDER = "analytics"
MODEL, TABLE, USERS = "model", "table", "users"
"""With what the name of a reading begins: rows of a model, of an event table, of the merged users."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPart:
    """What was built of a model: a layer with the rows of these users, or what they add to the counts."""

    layer: Layer | None = None
    counts: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsOfBucket:
    """The work: builds these recipes, each after those of the models that it reads, so many at once.

    ``users`` is the file that names the users, where it is not all of a bucket.
    """

    storage: Storage
    recipes: tuple[Recipe[Any], ...]
    tables: MigratedTables
    users: str | None = None
    at_once: int = 1

    def __call__(self, bucket: int, frames: Mapping[str, pl.LazyFrame]) -> dict[str, BuiltPart]:  # noqa: ARG002
        """Return what was built of each model, by name."""
        tables = self.tables.with_rows(_named(frames, TABLE), frames.get(reading_name(USERS)))
        models = dict(_named(frames, MODEL))
        built: dict[str, BuiltPart] = {}

        def build(recipe: Recipe[Any]) -> None:
            rows = recipe.build(BucketFrames(recipe.reads, tables, models))
            name = recipe.model.name
            if recipe.counting is not None:
                built[name] = BuiltPart(counts=rows)
                return
            rows_of_model = by_user(recipe.model)
            layer = rows_of_model.kept(self.storage, rows, users=self.users)
            built[name] = BuiltPart(layer=layer)
            models[name] = rows_of_model.live(self.storage, [layer])

        side_by_side(self.recipes, build, at_once=self.at_once)
        return built


def by_user(model: Model) -> RowsByUser:
    """Return how the lake keeps the rows of a model."""
    return RowsByUser(model.user, FOLDER, model.name)


def reading_name(kind: str, table: str = "") -> str:
    """Return the name of the reading of a model, of an event table, or of the users."""
    return f"{kind}/{table}"


def _named(frames: Mapping[str, pl.LazyFrame], kind: str) -> dict[str, pl.LazyFrame]:
    begin = reading_name(kind)
    return {name.removeprefix(begin): rows for name, rows in frames.items() if name.startswith(begin)}


def side_by_side(recipes: Sequence[Recipe[Any]], build: Callable[[Recipe[Any]], None], *, at_once: int) -> None:
    """Build each recipe, so many at once, each after the models that it reads."""
    under_way: dict[str, Future[None]] = {}

    def built(recipe: Recipe[Any]) -> None:
        for name in recipe.models:  # these were begun before, so that one of them is always at work
            if name in under_way:
                under_way[name].result()
        build(recipe)

    with ThreadPoolExecutor(at_once) as pool:
        for recipe in recipes:
            under_way[recipe.model.name] = pool.submit(built, recipe)
        for begun in under_way.values():
            begun.result()
