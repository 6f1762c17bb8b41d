"""Analysis: the models of heap_analytics and the segments, kept as Parquet files in the lake.

While nothing that a model follows from changed, its files stay. Where only data changed, a user-local model is built
for the users that changed; else in full, large data bucket by bucket of users.
Here: an analysis from its inputs to its models. Not here: what is built for whom (model_build.py), publishing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from heap_assets.config.model import Configuration
from heap_assets.engines.engine import Engine
from heap_assets.lake.storage import Storage
from heap_assets.limits import Limits
from heap_assets.models.catalog import recipes
from heap_assets.models.recipe import Inputs
from heap_assets.pipeline.build.analytics_state import read_analytics
from heap_assets.pipeline.build.migrated_tables import migrated_tables, tables_of_users
from heap_assets.pipeline.build.model_build import AnalyzedModel, ModelBuild
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolve.configured_events import configured_events
from heap_assets.pipeline.resolve.resolution import Resolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Every model by name, each after those that it is made of, and what there is to say of the configuration."""

    models: Mapping[str, AnalyzedModel]
    warnings: tuple[str, ...]


def analyze(
    storage: Storage,
    resolution: Resolution,
    ledger: Ledger,
    configuration: Configuration,
    *,
    engine: Engine,
    limits: Limits,
) -> Analysis:
    """Return every model; what does not fit into so much memory is built bucket by bucket."""
    events = configured_events(configuration, resolution.current).found
    tables = migrated_tables(storage, resolution, ledger.parsed_definitions().definitions)
    inputs = Inputs(configuration=configuration, events=events, event_tables=tuple(tables.events))
    build = ModelBuild(storage, engine, read_analytics(storage), recipes(inputs), tables, limits=limits)
    buckets = _buckets_for(tables.rows, limits)
    changed = build.users_to_refresh(resolution, buckets)
    if changed is not None:
        build.refresh(tables_of_users(tables, changed, storage=storage, resolution=resolution), changed)
    build.build_in_full(buckets)
    return Analysis(models=build.finished(resolution), warnings=events.warnings)


def _buckets_for(rows: int, limits: Limits) -> int:
    """Return in how many buckets of users so many rows fit into so much memory.

    >>> [_buckets_for(19_100_000, Limits(memory_gib=memory)) for memory in (5, 3, 2, 0.5)], _buckets_for(0, Limits())
    ([1, 3, 10, 20], 1)
    """
    fitting = (limits.memory_gib - limits.fixed_gib) * limits.rows_of_a_gib
    return math.ceil(rows / max(limits.fewest_rows, fitting)) or 1
