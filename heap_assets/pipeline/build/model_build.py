"""Models being built: which stay, which are refreshed for the users that changed, which are built in full.

Here: one build, from its plan to what it leaves. Not here: the plan (plan.py), what is done with a bucket
(bucket_work.py), whose rows changed (changed_users.py), what becomes of older rows (lake/layers.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from heap_assets.engines.engine import Engine
from heap_assets.lake.layers import Layer
from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.limits import Limits
from heap_assets.models.heap_users import HEAP_USERS
from heap_assets.models.recipe import Counting, Recipe
from heap_assets.pipeline.build.analytics_state import AnalyticsState, BuiltModel, write_analytics
from heap_assets.pipeline.build.bucket_frames import BucketFrames
from heap_assets.pipeline.build.bucket_work import (
    FOLDER,
    MODEL,
    TABLE,
    USERS,
    BuiltPart,
    ModelsOfBucket,
    by_user,
    reading_name,
    side_by_side,
)
from heap_assets.pipeline.build.changed_users import SeenData, changed_users, deliveries_of
from heap_assets.pipeline.build.migrated_table import NO_TABLES, MigratedTables
from heap_assets.pipeline.build.plan import PlannedModel, columns_read, plan
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.schema.model import Model
from heap_assets.transforms.analytics.recounting import recounted

_AT_ONCE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzedModel:
    """A model as it is now, whether this analysis changed it, and whether it built it in full."""

    model: Model
    built: BuiltModel
    changed: bool
    full: bool

    def rows(self, storage: Storage) -> pl.LazyFrame:
        """Return the rows of the model."""
        return rows_of(self.model, storage, self.built)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as an engine reads them."""

    table: str
    key: pl.Expr
    rows: pl.LazyFrame


def rows_of(model: Model, storage: Storage, built: BuiltModel) -> pl.LazyFrame:
    """Return the rows of a model as it was built."""
    return by_user(model).live(storage, built.layers)


class ModelBuild:
    """One build: ``_built`` are the models that are as they should be, ``_full`` those that it built in full."""

    def __init__(
        self,
        storage: Storage,
        engine: Engine,
        before: AnalyticsState,
        recipes: Sequence[Recipe[Any]],
        tables: MigratedTables,
        *,
        limits: Limits,
    ) -> None:
        self._storage, self._engine, self._before, self._tables = storage, engine, before, tables
        self._limits = limits
        self._plan = plan(recipes, tables, before.models)
        self._models = self._plan.models
        self._built = {name: one.before for name, one in self._models.items() if one.before and one.is_current}
        self._full: frozenset[str] = frozenset()

    def users_to_refresh(self, resolution: Resolution, buckets: int) -> pl.DataFrame | None:
        """Return the users whose rows changed; None if nobody's did, or if it is better to build all users' rows.

        It is if they are many, or more than what goes into one of the buckets of all users.
        """
        if not self._plan.refreshable():
            return None
        changed = changed_users(self._storage, resolution, self._before.seen)
        users = self._before.models.get(HEAP_USERS.name)
        share = min(self._limits.largest_share_of_users, 1 / buckets)
        many = max(self._limits.few_users, share * (users.rows if users else 0))
        return changed if changed is not None and len(changed) <= many else None

    def refresh(self, tables: MigratedTables, changed: pl.DataFrame) -> None:
        """Build the rows of these users in every model where that is enough; ``tables`` have theirs alone."""
        chosen = self._plan.refreshable()
        recipes = tuple(planned.recipe for planned in chosen)
        read = tables.in_memory(columns_read([read for recipe in recipes for read in recipe.reads]))
        users = write_file(self._storage, FOLDER, changed, about="changed_users").path
        work = ModelsOfBucket(storage=self._storage, recipes=recipes, tables=read, users=users, at_once=_AT_ONCE)
        models = self._models_read(recipes)
        readings = [*_of_tables(read, recipes), *(self._of_model(name, only=changed) for name in models)]
        (parts,) = self._engine.by_key(readings, 1, work)
        side_by_side(recipes, lambda recipe: self._put_on_top(recipe.model.name, parts), at_once=_AT_ONCE)
        for planned in self._models.values():
            if planned.recipe.counting is not None and not planned.is_current:
                self._recount(planned, planned.recipe.counting, parts, changed)

    def _put_on_top(self, name: str, parts: dict[str, BuiltPart]) -> None:
        planned, layer = self._models[name], parts[name].layer
        if planned.before is not None and layer is not None:
            kept, limits = by_user(planned.recipe.model), self._limits.layers
            layers, rows = kept.with_layer(self._storage, planned.before, layer, limits)
            self._built[name] = self._as_built(planned, layers, rows)

    def _recount(
        self, planned: PlannedModel, counting: Counting, parts: dict[str, BuiltPart], changed: pl.DataFrame
    ) -> None:
        """Bring counts up to date: what the refreshed users added before goes, what they add now comes."""
        (base,) = planned.recipe.models
        layer, before = parts.get(base, BuiltPart()).layer, planned.before
        if layer is None or before is None or before.counts is None or not planned.has_its_rules:
            return
        rows = by_user(self._models[base].recipe.model)
        come = self._counted(planned, rows.live(self._storage, [layer]))
        gone = self._counted(planned, rows.live(self._storage, self._before.models[base].layers, users=changed))
        counts = pl.scan_parquet(self._storage.local_copy(before.counts), glob=False)
        summed = recounted(counts, gone.lazy(), come.lazy(), counts=counting.columns).collect(engine="streaming")
        self._add_counts(planned, counting, summed)

    def _counted(self, planned: PlannedModel, rows: pl.LazyFrame) -> pl.DataFrame:
        recipe = planned.recipe
        return recipe.build(BucketFrames(recipe.reads, NO_TABLES, {recipe.models[0]: rows}))

    def build_in_full(self, buckets: int) -> None:
        """Build what is left for all users: bucket by bucket what follows from the rows of one, then the rest."""
        left = [planned for name, planned in self._models.items() if name not in self._built]
        self._full = frozenset(planned.name for planned in left)
        recipes = tuple(planned.recipe for planned in left if planned.recipe.is_built_by_bucket)
        if recipes:
            work = ModelsOfBucket(storage=self._storage, recipes=recipes, tables=self._tables)
            readings = [*_of_tables(self._tables, recipes), *map(self._of_model, self._models_read(recipes))]
            parts = self._engine.by_key(readings, buckets, work)
            for recipe in recipes:
                self._put_together(self._models[recipe.model.name], [part[recipe.model.name] for part in parts])
        for planned in left:
            recipe = planned.recipe
            if not recipe.is_built_by_bucket:
                models = {name: self._rows(name) for name in recipe.models}
                self._add(planned, recipe.build(BucketFrames(recipe.reads, self._tables, models)))

    def _put_together(self, planned: PlannedModel, parts: Sequence[BuiltPart]) -> None:
        """Put the parts of all buckets under one another, or add up what they counted."""
        counting = planned.recipe.counting
        if counting is not None:
            counts = pl.concat(part.counts for part in parts if part.counts is not None)
            keys = [column for column in counts.columns if column not in counting.columns]
            one = len(parts) == 1
            self._add_counts(planned, counting, counts if one else counts.group_by(keys).sum().select(counts.columns))
            return
        layers = [part.layer for part in parts if part.layer is not None]
        rows = sum(layer.rows for layer in layers)
        whole = Layer(files=tuple(file for layer in layers for file in layer.files), rows=rows)
        self._built[planned.name] = self._as_built(planned, (whole,), rows)

    def _add_counts(self, planned: PlannedModel, counting: Counting, counts: pl.DataFrame) -> None:
        kept = write_file(self._storage, FOLDER, counts, about=planned.name)
        self._add(planned, counting.rows(counts.lazy()).collect(engine="streaming"), counts=kept.path)

    def _add(self, planned: PlannedModel, rows: pl.DataFrame, *, counts: str | None = None) -> None:
        layer = by_user(planned.recipe.model).kept(self._storage, rows)
        self._built[planned.name] = self._as_built(planned, (layer,), layer.rows, counts=counts)

    def _as_built(
        self, planned: PlannedModel, layers: tuple[Layer, ...], rows: int, *, counts: str | None = None
    ) -> BuiltModel:
        return BuiltModel(of=planned.fingerprint, rules=dict(planned.rules), layers=layers, rows=rows, counts=counts)

    def _rows(self, name: str) -> pl.LazyFrame:
        return rows_of(self._models[name].recipe.model, self._storage, self._built[name])

    def _models_read(self, recipes: Sequence[Recipe[Any]]) -> list[str]:
        """Return the models that recipes read and that they do not build themselves."""
        own = {recipe.model.name for recipe in recipes}
        return list(dict.fromkeys(name for recipe in recipes for name in recipe.models if name not in own))

    def _of_model(self, name: str, only: pl.DataFrame | None = None) -> _Rows:
        model = self._models[name].recipe.model
        rows = by_user(model).live(self._storage, self._built[name].layers, users=only)
        return _Rows(reading_name(MODEL, name), pl.col(model.user), rows)

    def finished(self, resolution: Resolution) -> dict[str, AnalyzedModel]:
        """Keep the state; return every model."""
        models = {name: self._built[name] for name in self._models}
        seen = SeenData(
            deliveries=deliveries_of(resolution), merges=resolution.merges, identity_map=resolution.identity_file
        )
        state = AnalyticsState(models=models, seen=seen)
        if state != self._before:
            write_analytics(self._storage, state)
        return {
            name: AnalyzedModel(
                model=self._models[name].recipe.model,
                built=built,
                changed=built != self._before.models.get(name),
                full=name in self._full,
            )
            for name, built in models.items()
        }


def _of_tables(tables: MigratedTables, recipes: Sequence[Recipe[Any]]) -> Iterator[_Rows]:
    """Yield the rows of the tables that recipes read."""
    reads = [read for recipe in recipes for read in recipe.reads]
    for name, columns in columns_read(reads).items():
        if (table := tables.events.get(name)) is not None:
            yield _Rows(reading_name(TABLE, name), table.user, table.stored_rows_of(columns))
    of_users = [read for read in reads if read.kind == "users"]
    if tables.users is not None and of_users:
        every = any(read.columns is None for read in of_users)
        named = None if every else {column for read in of_users for column in read.table_columns}
        yield _Rows(reading_name(USERS), tables.users.user, tables.users.stored_rows_of(named))
