"""Models in the making: which are as they should be, which are made for the users that changed, which for everybody.

A model is refreshed if only data changed: the rows of the users that changed are made by the same recipe as for all.
Here: deciding, making, remembering. Not here: recipes (recipes.py), whose rows changed (changed_users.py), what becomes
of the older rows (lake/layers.py), buckets of users (analysis.py).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from heap_assets.analytics_models import HEAP_USERS
from heap_assets.lake.layers import Layer, RowsByUser, users_of
from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import kept_rows
from heap_assets.pipeline.build.analytics_state import AnalyticsState, MadeModel, write_analytics
from heap_assets.pipeline.build.changed_users import SeenData, changed_users, covers_of
from heap_assets.pipeline.build.migrated_tables import digest
from heap_assets.pipeline.build.recipe import Counting, Recipe
from heap_assets.pipeline.build.user_bucket import UserBucket
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.recounting import recounted

_VERSION = "5"
"""Raised when a model comes to mean something else, so that a lake of before is computed anew."""
_FOLDER = "analytics"
_AT_ONCE = 2
_FEW_USERS, _LARGEST_SHARE = 10_000, 0.3
"""If more users than that share changed, and more than a few, everybody's rows are made: that is faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzedModel:
    """A model as it is now, whether this analysis changed it, and whether it made it anew for everybody."""

    model: Model
    made: MadeModel
    changed: bool
    anew: bool

    def rows(self, storage: Storage) -> pl.LazyFrame:
        """Return the rows of the model."""
        return rows_of(self.model, storage, self.made)


def rows_of(model: Model, storage: Storage, made: MadeModel) -> pl.LazyFrame:
    """Return the rows of a model as it was made."""
    return _by_user(model).live(storage, made.layers)


def _by_user(model: Model) -> RowsByUser:
    return RowsByUser(model.user, _FOLDER, model.name)


def _rules(recipe: Recipe) -> dict[str, str]:
    return {**recipe.rules, "version": _VERSION}


def _side_by_side(recipes: Sequence[Recipe], make: Callable[[Recipe], None]) -> None:
    """Make the model of each recipe, two at a time, each after the models that it is made of.

    What is made of a few users' rows is small, and costs waiting more than computing.
    """
    under_way: dict[str, Future[None]] = {}

    def made(recipe: Recipe) -> None:
        for model in recipe.after:  # these were begun before, so that one of them is always at work
            if model.name in under_way:
                under_way[model.name].result()
        make(recipe)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for recipe in recipes:
            under_way[recipe.model.name] = pool.submit(made, recipe)
        for begun in under_way.values():
            begun.result()


class ModelMaking:
    """One analysis: ``_made`` are the models that are as they should be, ``_anew`` those made for everybody."""

    def __init__(self, storage: Storage, before: AnalyticsState, planned: Sequence[Recipe]) -> None:
        self._storage, self._before, self._recipes = storage, before, planned
        self._models = {recipe.model.name: recipe.model for recipe in planned}
        self._of: dict[str, str] = {}
        self._made: dict[str, MadeModel] = {}
        self._anew: set[str] = set()
        self._refreshed: dict[str, Layer] = {}
        for recipe in planned:
            name = recipe.model.name
            after = [self._of[model.name] for model in recipe.after]
            self._of[name] = digest(sorted(_rules(recipe).items()), recipe.data, after)
            made = before.models.get(name)
            if made is not None and made.of == self._of[name]:
                self._made[name] = made

    def users_to_refresh(self, resolution: Resolution, buckets: int) -> pl.DataFrame | None:
        """Return the users whose rows changed; None if nobody's did, or if it is better to make everybody's.

        It is if they are many, or more than what goes into one of the buckets of everybody.
        """
        if not any(self._can_be_refreshed(recipe, set()) for recipe in self._recipes):
            return None
        changed = changed_users(self._storage, resolution, self._before.seen)
        users = self._before.models.get(HEAP_USERS.name)
        many = max(_FEW_USERS, min(_LARGEST_SHARE, 1 / buckets) * (users.rows if users else 0))
        return changed if changed is not None and len(changed) <= many else None

    def _can_be_refreshed(self, recipe: Recipe, anew: set[str]) -> bool:
        """Return whether only data changed: every rule is as it was, and no model below is made for everybody."""
        if recipe.model.name in self._made or not recipe.model.user_local or not self._has_its_rules(recipe):
            return False
        return not any(model.name in anew for model in recipe.after)

    def _has_its_rules(self, recipe: Recipe) -> bool:
        """Return whether the model was made before, by rules that hold still; others may have come, as a table does."""
        before, rules = self._before.models.get(recipe.model.name), _rules(recipe)
        return before is not None and all(rules.get(about) == rule for about, rule in before.rules.items())

    def columns_to_refresh(self) -> dict[str, set[str]]:
        """Return of each event table the columns that models read which may be refreshed."""
        columns: dict[str, set[str]] = {}
        for recipe in self._recipes:
            if self._can_be_refreshed(recipe, set()):
                for table, read in recipe.reads.items():
                    columns.setdefault(table, set()).update(read)
        return columns

    def refresh(self, bucket: UserBucket, changed: pl.DataFrame) -> None:
        """Make the rows of these users anew in every model where that is enough."""
        anew: set[str] = set()
        chosen = []
        for recipe in self._recipes:
            if self._can_be_refreshed(recipe, anew):
                chosen.append(recipe)
            elif recipe.model.name not in self._made:
                anew.add(recipe.model.name)
        users = kept_rows(self._storage, _FOLDER, changed, about="changed_users").path
        _side_by_side(chosen, lambda recipe: self._refresh(recipe, bucket, users))

    def _refresh(self, recipe: Recipe, bucket: UserBucket, users: str) -> None:
        name = recipe.model.name
        frame = recipe.rows(bucket)
        by_user = _by_user(recipe.model)
        layer = self._refreshed[name] = by_user.kept(self._storage, frame, users=users)
        layers, rows = by_user.with_layer(self._storage, self._before.models[name], layer)
        self._made[name] = MadeModel(of=self._of[name], rules=_rules(recipe), layers=layers, rows=rows)

    def make(self, buckets: Sequence[UserBucket], everyone: UserBucket) -> None:
        """Make what is left for everybody: first what follows from one user's rows, bucket by bucket."""
        self._anew = {recipe.model.name for recipe in self._recipes} - set(self._made)
        local = [recipe for recipe in self._recipes if recipe.model.user_local and recipe.model.name in self._anew]
        for bucket in buckets:
            for recipe in local:
                self._add(recipe, recipe.rows(bucket))
        across = [one for one in self._recipes if not one.model.user_local and one.model.name in self._anew]
        _side_by_side(across, lambda recipe: self._make_across(recipe, everyone))

    def _make_across(self, recipe: Recipe, everyone: UserBucket) -> None:
        if recipe.counting is None:
            self._add(recipe, recipe.rows(everyone))
            return
        counts = self._recounted(recipe, recipe.counting)
        if counts is None:
            counts = recipe.rows(everyone)
        rows = recipe.counting.whole(counts.lazy()).collect(engine="streaming")
        self._add(recipe, rows, counts=kept_rows(self._storage, _FOLDER, counts, about=recipe.model.name).path)

    def _recounted(self, recipe: Recipe, counting: Counting) -> pl.DataFrame | None:
        """Return what is counted of all users, from what it was and the users refreshed, if it can be."""
        (counted,) = recipe.after
        layer, before = self._refreshed.get(counted.name), self._before.models.get(recipe.model.name)
        if layer is None or before is None or before.counts is None or not self._has_its_rules(recipe):
            return None
        made, users = self._before.models[counted.name], users_of(self._storage, [layer.users or ""])
        come = counting.counted(_by_user(counted).live(self._storage, [layer]))
        gone = counting.counted(_by_user(counted).live(self._storage, made.layers, users=users))
        counts = pl.scan_parquet(self._storage.local_copy(before.counts), glob=False)
        return recounted(counts, gone, come, counts=counting.counts).collect(engine="streaming")

    def _add(self, recipe: Recipe, frame: pl.DataFrame, *, counts: str | None = None) -> None:
        name = recipe.model.name
        before = self._made.get(name)
        added = _by_user(recipe.model).kept(self._storage, frame)
        files = (*(before.layers[0].files if before else ()), *added.files)
        rows = (before.rows if before else 0) + added.rows
        layers = (Layer(files=files, rows=rows),)
        self._made[name] = MadeModel(of=self._of[name], rules=_rules(recipe), layers=layers, rows=rows, counts=counts)

    def made_in(self, number: int, buckets: int) -> Callable[[str], pl.LazyFrame]:
        """Return a function that gives the rows of a model for one bucket of users; of one across users all."""

        def rows(name: str) -> pl.LazyFrame:
            found = _by_user(self._models[name]).live(self._storage, self._made[name].layers)
            return found.filter(pl.col(self._models[name].user).hash() % buckets == number) if buckets > 1 else found

        return rows

    def made_of(self, users: pl.DataFrame) -> Callable[[str], pl.LazyFrame]:
        """Return a function that gives the rows of a model for these users, which a refreshed one has in a layer."""

        def rows(name: str) -> pl.LazyFrame:
            by_user, layer = _by_user(self._models[name]), self._refreshed.get(name)
            if layer is not None:
                return by_user.live(self._storage, [layer])
            return by_user.live(self._storage, self._made[name].layers, users=users)

        return rows

    def finished(self, resolution: Resolution) -> dict[str, AnalyzedModel]:
        """Keep the state; return every model."""
        models = {recipe.model.name: self._made[recipe.model.name] for recipe in self._recipes}
        seen = SeenData(covers=covers_of(resolution), merges=resolution.merges, identity_map=resolution.identity_file)
        state = AnalyticsState(models=models, seen=seen)
        if state != self._before:
            write_analytics(self._storage, state)
        return {
            name: AnalyzedModel(
                model=self._models[name],
                made=made,
                changed=made != self._before.models.get(name),
                anew=name in self._anew,
            )
            for name, made in models.items()
        }
