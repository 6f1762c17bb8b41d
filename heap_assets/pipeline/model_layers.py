"""The rows of a model as the lake keeps them: one layer for everybody, then one per refresh for some users.

A layer holds all rows of its users, so a user's rows are those of the newest layer that has the user. Refreshing never
rewrites what is there; when layers become many they are put together, which changes nothing but speed.
Here: layers, and the rows that count. Not here: which users change (changed_users.py), making rows (recipes.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from heap_assets.lake.kept_rows import KeptRows, kept_rows
from heap_assets.lake.storage import Storage
from heap_assets.models import Model

_MOST_LAYERS = 8
_LARGEST_SHARE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Parquet files with all rows of some users; ``users`` is the file that names them, None for everybody."""

    files: tuple[str, ...]
    rows: int
    users: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeModel:
    """A model as it was made.

    Attributes:
        of: A digest of all that it was made of; while it stays, so does the model.
        rules: Of each thing that its rows follow from besides data a digest; while none changes, a refresh is enough.
        layers: Oldest first; the first one is for everybody.
        rows: Rows that count.
        counts: The file of what was counted of all users, if its rows follow from counts.
    """

    of: str
    rules: dict[str, str] = field(default_factory=dict)
    layers: tuple[Layer, ...]
    rows: int
    counts: str | None = None


def live_rows(
    storage: Storage, model: Model, layers: Sequence[Layer], *, users: pl.DataFrame | None = None
) -> pl.LazyFrame:
    """Return the rows that count: of each user those of the newest layer that has the user; only of ``users``.

    Rows of a user stand together, in the order in which they were made.
    """
    parts = []
    for number, layer in enumerate(layers):
        rows = pl.scan_parquet([storage.local_copy(file) for file in layer.files], glob=False)
        if users is not None:  # decided on one column: the rest of a row is decoded for these users alone
            rows = rows.filter(pl.col(model.user).is_in(users["user_id"].implode()))
        later = [one.users for one in layers[number + 1 :] if one.users is not None]
        if later:
            gone = users_of(storage, later).rename({"user_id": model.user})
            rows = rows.join(gone.lazy(), on=model.user, how="anti", maintain_order="left")
        parts.append(rows)
    return parts[0] if len(parts) == 1 else pl.concat(parts)


def users_of(storage: Storage, files: Iterable[str]) -> pl.DataFrame:
    """Return the users that these files name, each once."""
    return pl.concat(pl.read_parquet(storage.local_copy(file), glob=False) for file in files).unique()


def with_layer(storage: Storage, model: Model, made: MadeModel, layer: Layer) -> tuple[tuple[Layer, ...], int]:
    """Return the layers with a newer one on top, put together where that pays, and the rows that count."""
    users = users_of(storage, [layer.users or ""])
    before = live_rows(storage, model, made.layers, users=users).select(pl.len()).collect(engine="streaming").item()
    rows = made.rows - before + layer.rows
    layers = (*made.layers, layer)
    refreshed = sum(one.rows for one in layers[1:])
    if refreshed > _LARGEST_SHARE * max(rows, 1):
        return (together(storage, model, layers, None),), rows
    if len(layers) > _MOST_LAYERS:
        named = [one.users for one in layers[1:] if one.users is not None]
        of = kept(storage, users_of(storage, named), model.name).path
        return (layers[0], together(storage, model, layers[1:], of)), rows
    return layers, rows


def together(storage: Storage, model: Model, layers: Sequence[Layer], users: str | None) -> Layer:
    """Write the rows of these layers that count as one layer, in batches."""
    found = kept(storage, live_rows(storage, model, layers), model.name)
    return Layer(files=(found.path,), rows=found.rows, users=users)


def kept(storage: Storage, rows: pl.DataFrame | pl.LazyFrame, about: str) -> KeptRows:
    """Write rows as a file of the analysis."""
    return kept_rows(storage, "analytics", rows, about=about)
