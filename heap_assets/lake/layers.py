"""Rows by user as the lake keeps them: one layer for all users, then one per refresh for some users.

A layer holds all rows of its users, so a user's rows are those of the newest layer that has the user. Refreshing never
rewrites what is there; when layers become many they are put together, which changes nothing but speed.
Here: layers, and the rows that count. Not here: which users change (the caller), making rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.limits import LayerLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Parquet files with all rows of some users; ``users`` is the file that names them, None for all users."""

    files: tuple[str, ...]
    rows: int
    users: str | None = None


class Layered(Protocol):
    """Rows in layers, oldest first, the first one for all users; ``rows`` counts those that count."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers."""

    @property
    def rows(self) -> int:
        """Return how many rows count."""


@dataclass(frozen=True, slots=True)
class RowsByUser:
    """What is said of rows in layers besides: which column says whose a row is, in which folder they lie, of what."""

    user: str
    folder: str
    about: str

    def live(self, storage: Storage, layers: Sequence[Layer], *, users: pl.DataFrame | None = None) -> pl.LazyFrame:
        """Return the rows that count: of each user those of the newest layer that has the user; only of ``users``.

        Rows of a user stand together, in the order in which they were made.
        """
        parts = []
        for number, layer in enumerate(layers):
            rows = pl.scan_parquet([storage.local_copy(file) for file in layer.files], glob=False)
            if users is not None:  # decided on one column: the rest of a row is decoded for these users alone
                rows = rows.filter(pl.col(self.user).is_in(users["user_id"].implode()))
            later = [one.users for one in layers[number + 1 :] if one.users is not None]
            if later:  # two thirds of the time of an anti join
                rows = rows.filter(~pl.col(self.user).is_in(users_of(storage, later)["user_id"].implode()))
            parts.append(rows)
        return parts[0] if len(parts) == 1 else pl.concat(parts)

    def kept(self, storage: Storage, rows: pl.DataFrame, *, users: str | None = None) -> Layer:
        """Return a layer with these rows."""
        return Layer(
            files=(write_file(storage, self.folder, rows, about=self.about).path,), rows=len(rows), users=users
        )

    def with_layer(
        self, storage: Storage, built: Layered, layer: Layer, limits: LayerLimits
    ) -> tuple[tuple[Layer, ...], int]:
        """Return the layers with a newer one on top, put together where that pays, and the rows that count."""
        users = users_of(storage, [layer.users or ""])
        gone = self.live(storage, built.layers, users=users).select(pl.len()).collect(engine="streaming").item()
        rows = built.rows - gone + layer.rows
        layers = (*built.layers, layer)
        refreshed = sum(one.rows for one in layers[1:])
        if refreshed > limits.largest_share * max(rows, 1):
            return (self._together(storage, layers, None),), rows
        if len(layers) > limits.most_layers:
            named = [one.users for one in layers[1:] if one.users is not None]
            of = write_file(storage, self.folder, users_of(storage, named), about=self.about).path
            return (layers[0], self._together(storage, layers[1:], of)), rows
        return layers, rows

    def _together(self, storage: Storage, layers: Sequence[Layer], users: str | None) -> Layer:
        """Write the rows of these layers that count as one layer, in batches."""
        found = write_file(storage, self.folder, self.live(storage, layers), about=self.about)
        return Layer(files=(found.path,), rows=found.rows, users=users)


def users_of(storage: Storage, files: Iterable[str]) -> pl.DataFrame:
    """Return the users (user_id) that these files name, each once."""
    return pl.concat(pl.read_parquet(storage.local_copy(file), glob=False) for file in files).unique()


def files_of(layers: Iterable[Layer]) -> frozenset[str]:
    """Return every file that these layers need."""
    layers = tuple(layers)
    named = {layer.users for layer in layers if layer.users is not None}
    return frozenset({file for layer in layers for file in layer.files} | named)
