"""What an analysis leaves for the next: the models as they were made, and the data that it saw.

It is a part of the state and the files that it names; it is replaced as a whole at the end of an analysis, so that a
run that was killed is mended by the next. Not here: what follows from it (analysis.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from heap_assets.lake.layers import Layer, files_of
from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.changed_users import SeenData


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltModel:
    """A model as it was made.

    Attributes:
        of: A digest of all that it was made of; while it stays, so does the model.
        rules: Of each thing that its rows follow from besides data a digest; while none changes, a refresh is enough.
        layers: Oldest first; the first one is for all users.
        rows: Rows that count.
        counts: The file of what was counted of all users, if its rows follow from counts.
    """

    of: str
    rules: dict[str, str] = field(default_factory=dict)
    layers: tuple[Layer, ...]
    rows: int
    counts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsState:
    """Every model by name, and the data that they were made of."""

    models: Mapping[str, BuiltModel] = field(default_factory=dict)
    seen: SeenData = field(default_factory=SeenData)


def _files_of_state(state: AnalyticsState) -> frozenset[str]:
    named = {built.counts for built in state.models.values()} | {state.seen.identity_map}
    layers = (layer for built in state.models.values() for layer in built.layers)
    return files_of(layers) | {file for file in named if file is not None}


ANALYZED = Part("models", TypeAdapter(AnalyticsState), without=AnalyticsState(), files=_files_of_state)


def read_analytics(storage: Storage) -> AnalyticsState:
    """Return what the last analysis left."""
    return ANALYZED.read(storage)


def write_analytics(storage: Storage, state: AnalyticsState) -> None:
    """Replace what the last analysis left."""
    ANALYZED.write(storage, state)


def forget_analysis(storage: Storage) -> None:
    """Have the next analysis build everything again."""
    write_analytics(storage, AnalyticsState())


def analyzed_files(storage: Storage) -> frozenset[str]:
    """Return the files that the last analysis needs, be they there or not; the next one may leave some of them."""
    return _files_of_state(ANALYZED.known(storage) or AnalyticsState())
