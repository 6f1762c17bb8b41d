"""What an analysis leaves for the next: the models as they were made, and the data that it saw.

State lies in ``analytics.json`` and the files that it names; it is replaced as a whole at the end of an analysis, so
that a run that was killed is mended by the next. Not here: what follows from it (analysis.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from heap_assets.lake.memory import Memory
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.changed_users import SeenData
from heap_assets.pipeline.model_layers import MadeModel


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsState:
    """Every model by name, and the data that they were made of."""

    models: Mapping[str, MadeModel] = field(default_factory=dict)
    seen: SeenData = field(default_factory=SeenData)


_MEMORY = Memory("analytics.json", TypeAdapter(AnalyticsState), without=AnalyticsState())


def read_analytics(storage: Storage) -> AnalyticsState:
    """Return what the last analysis left."""
    return _MEMORY.read(storage)


def write_analytics(storage: Storage, state: AnalyticsState) -> None:
    """Replace what the last analysis left."""
    _MEMORY.write(storage, state)


def forget_analysis(storage: Storage) -> None:
    """Have the next analysis make everything anew."""
    write_analytics(storage, AnalyticsState())


def analyzed_files(storage: Storage) -> frozenset[str]:
    """Return the files that the last analysis needs; the next one may leave some of them behind."""
    state = read_analytics(storage)
    layers = [layer for made in state.models.values() for layer in made.layers]
    named = {layer.users for layer in layers} | {made.counts for made in state.models.values()}
    named.add(state.seen.identity_map)
    return frozenset({file for layer in layers for file in layer.files} | {file for file in named if file is not None})
