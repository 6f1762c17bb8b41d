"""Analysis: the models of heap_analytics and the segments, kept as Parquet files in the lake.

A model is made anew when something that it follows from changed, else its files stay. Large data goes through memory
one bucket of users after another. Here: which models are stale, making them, their files. Not here: how each is made
(recipes.py), publishing (analytics_publication.py). State lies in ``analytics.json`` and the files that it names; it is
replaced as a whole at the end, so that a run that was killed is mended by the next.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl
from pydantic import TypeAdapter, ValidationError

from heap_assets.config.model import Configuration
from heap_assets.lake.storage import Storage
from heap_assets.models import Model
from heap_assets.pipeline.configured_events import configured_events
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.migrated_tables import digest, migrated_tables
from heap_assets.pipeline.recipes import Recipe, recipes
from heap_assets.pipeline.resolution import Resolution
from heap_assets.pipeline.user_bucket import UserBucket

_PATH = "analytics.json"
_RULES = "1"
"""Raised when a model comes to mean something else, so that a lake of before is computed anew."""
ROWS_IN_A_BUCKET = 8_000_000
"""Rows of sessions, pageviews and events; 3.9 million of the sample's in one bucket took 1.1 GB at the peak."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeModel:
    """A model's files, its rows, and a digest of what it was made of."""

    of: str
    files: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsState:
    """What an analysis leaves for the next."""

    models: Mapping[str, MadeModel] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzedModel:
    """A model as it is now, and whether this analysis made it anew."""

    model: Model
    made: MadeModel
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Every model by name, each after those that it is made of, and what there is to say of the configuration."""

    models: Mapping[str, AnalyzedModel]
    warnings: tuple[str, ...]


_STATE = TypeAdapter(AnalyticsState)


def analyze(
    storage: Storage,
    resolution: Resolution,
    ledger: Ledger,
    configuration: Configuration,
    *,
    rows_in_a_bucket: int = ROWS_IN_A_BUCKET,
) -> Analysis:
    """Return every model; those that nothing changed for are as an earlier run made them."""
    events = configured_events(configuration, resolution.current).found
    tables = migrated_tables(storage, resolution, ledger.parsed_definitions().definitions)
    buckets = max(1, -(-tables.rows // rows_in_a_bucket))
    work = _Analyzing(storage, _state(storage), buckets)

    def bucket(number: int, of: int) -> UserBucket:
        return UserBucket(
            tables=tables,
            events=events,
            made=lambda name: work.made(name, number, of),
            number=number,
            buckets=of,
        )

    work.plan(recipes(configuration, tables, events))
    for number in range(buckets):
        work.make_for_users(number, bucket(number, buckets))
    work.make_for_all(bucket(0, 1))
    return Analysis(models=work.finished(), warnings=events.warnings)


def forget_analysis(storage: Storage) -> None:
    """Have the next analysis make everything anew."""
    storage.write(_PATH, _STATE.dump_json(AnalyticsState()))


def _state(storage: Storage) -> AnalyticsState:
    content = storage.read(_PATH)
    try:
        return AnalyticsState() if content is None else _STATE.validate_json(content)
    except ValidationError:  # a memory, not a truth: without it all is made anew
        return AnalyticsState()


class _Analyzing:
    def __init__(self, storage: Storage, before: AnalyticsState, buckets: int) -> None:
        self._storage, self._before, self._buckets = storage, before, buckets
        self._recipes: Sequence[Recipe] = ()
        self._of: dict[str, str] = {}
        self._files: dict[str, list[str]] = {}
        self._rows: dict[str, int] = {}

    def plan(self, planned: Sequence[Recipe]) -> None:
        """Find out which models are stale; the others keep their files."""
        self._recipes = planned
        for recipe in planned:
            name = recipe.model.name
            after = [self._of[model.name] for model in recipe.after]
            self._of[name] = digest(_RULES, self._buckets, recipe.of, after)
            kept = self._before.models.get(name)
            if kept is not None and kept.of == self._of[name]:
                self._files[name], self._rows[name] = [*kept.files], kept.rows

    def make_for_users(self, number: int, bucket: UserBucket) -> None:
        """Make the stale user-local models of one bucket of users."""
        for recipe in self._recipes:
            if recipe.model.user_local and len(self._files.get(recipe.model.name, ())) == number:
                self._make(recipe, bucket)

    def make_for_all(self, everyone: UserBucket) -> None:
        """Make the stale models that read across users."""
        for recipe in self._recipes:
            if not recipe.model.user_local and recipe.model.name not in self._files:
                self._make(recipe, everyone)

    def made(self, name: str, number: int, of: int) -> pl.LazyFrame:
        """Return the rows of a model for one bucket of users, or for all."""
        files = self._files[name] if of == 1 else [self._files[name][number]]
        return pl.scan_parquet([self._storage.local_copy(file) for file in files], glob=False)

    def _make(self, recipe: Recipe, bucket: UserBucket) -> None:
        name = recipe.model.name
        frame = recipe.rows(bucket)
        path = f"analytics/{uuid.uuid4().hex}.parquet"
        file = self._storage.new_file(path)
        frame.write_parquet(file, metadata={"heap_assets.table": name})
        self._storage.keep(file, path)
        self._files.setdefault(name, []).append(path)
        self._rows[name] = self._rows.get(name, 0) + frame.height

    def finished(self) -> dict[str, AnalyzedModel]:
        """Keep the state; return every model."""
        models = {
            recipe.model.name: MadeModel(
                of=self._of[recipe.model.name],
                files=tuple(self._files[recipe.model.name]),
                rows=self._rows[recipe.model.name],
            )
            for recipe in self._recipes
        }
        state = AnalyticsState(models=models)
        if state != self._before:
            self._storage.write(_PATH, _STATE.dump_json(state))
        return {
            recipe.model.name: AnalyzedModel(
                model=recipe.model,
                made=models[recipe.model.name],
                changed=models[recipe.model.name] != self._before.models.get(recipe.model.name),
            )
            for recipe in self._recipes
        }
