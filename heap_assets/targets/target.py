"""A target: where relations are published, such as a DuckDB file. A second one is a folder beside duckdb/.

Here: the protocol, and what a target says of what it published. Not here: relations (relation.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from heap_assets.targets.relation import Relation


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a target can do."""

    views_over_parquet: bool
    comments: bool
    atomic_swap: bool
    longest_identifier: int | None
    folds_case: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTable:
    """A relation as it was published: its columns with the types that they have there."""

    schema: str
    name: str
    rows: int
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a target published; ``replaced`` is what other people had put there before."""

    tables: tuple[PublishedTable, ...]
    replaced: tuple[str, ...] = ()


class Target(Protocol):
    """Where relations are published."""

    @property
    def capabilities(self) -> Capabilities:
        """Return what it can do."""
        ...

    def publish(
        self, schemas: Sequence[str], relations: Sequence[Relation], *, refuse: Callable[[], None]
    ) -> Published:
        """Publish these relations in place of all that was published before, at once for readers.

        ``schemas`` are there whether or not a relation lies in them. ``refuse`` is called when all is made and nothing
        is seen of it yet; it raises if it is not to be published, and what was published before stays.
        """
        ...
