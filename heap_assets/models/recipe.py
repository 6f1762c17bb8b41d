"""What a model is made of and how, as plain values: what it reads, its parameters, its rule.

Engines run recipes; what is stale, data versions and Dagster's lineage follow from them. No such value holds rows, a
connection or a storage. Here: the values. Not here: the models (one file each), reading (pipeline/build/), the rules
(transforms/).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

import polars as pl

from heap_assets.config.channels import ChannelRule
from heap_assets.config.event_names import EventTables
from heap_assets.config.model import Configuration
from heap_assets.models.key_figures import KeyFigures, no_key_figures
from heap_assets.schema.heap_tables import USERS
from heap_assets.schema.model import Model

Params = TypeVar("Params")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a recipe reads of one table on resolved users, or of a model.

    Attributes:
        table: The published name of sessions, pageviews or an event table; ``users``; or a model's name.
        kind: Which of the three it is.
        ids: Of an event table: which of event_id, session_id and time are read; null where the table lacks one.
        columns: The columns besides, in any case, each read under this name; one that the table lacks is not in the
            frame. None for all.
        renamed: Further columns, as pairs of column and the name that it has in the frame.
        where: Only rows whose columns equal these texts (CONTRACT section 5), as pairs of column and text.
    """

    table: str
    kind: Literal["event", "users", "model"] = "event"
    ids: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = ()
    renamed: tuple[tuple[str, str], ...] = ()
    where: tuple[tuple[str, str], ...] = ()

    @property
    def table_columns(self) -> tuple[str, ...]:
        """Return the columns that are read, besides ids and time, where they are named."""
        return (*(self.columns or ()), *(name for name, _ in (*self.renamed, *self.where)))


def read_users(columns: tuple[str, ...] | None = None, *, renamed: tuple[tuple[str, str], ...] = ()) -> Read:
    """Return a read of user_id and these columns of the migrated users; of all columns if ``columns`` is None."""
    return Read(table=USERS.kind, kind="users", columns=columns, renamed=renamed)


def read_model(model: Model, *columns: str, where: tuple[tuple[str, str], ...] = ()) -> Read:
    """Return a read of these columns of a model; of all if none are named."""
    return Read(table=model.name, kind="model", columns=columns or None, where=where)


class Frames(Protocol):
    """The rows that a recipe reads, of some users or of all; an event table's frame has user_id first."""

    @property
    def reads(self) -> tuple[Read, ...]:
        """Return all reads of the recipe."""
        ...

    def read(self, read: Read) -> pl.DataFrame:
        """Return the rows of one read; a table that does not exist has none."""
        ...

    def read_all(self, reads: Sequence[Read]) -> list[pl.DataFrame]:
        """Return the rows of several reads, which are read at once."""
        ...


@dataclass(frozen=True, slots=True)
class Counting:
    """How the rows of a model over all users follow from counts that add up.

    Attributes:
        columns: The columns of whole numbers that add up over users; all others are keys.
        count: From the one frame that is read, of any users: what they add to the counts.
        rows: From the keys and counts of all users: the model's rows.
    """

    columns: tuple[str, ...]
    count: Callable[[pl.LazyFrame], pl.LazyFrame]
    rows: Callable[[pl.LazyFrame], pl.LazyFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Generic[Params]):
    """How a model is built.

    Attributes:
        version: Raised with the rule, so that what was built by the previous rule is built again.
        reads: All that it reads: the only statement of its lineage.
        params: The part of the configuration that its rows follow from.
        transform: The rule, a function of a module: from the frames of any users their rows; of a model that is not
            user-local from those of all users.
        counting: The rule of a model whose rows follow from counts, in place of a transform.
    """

    model: Model
    version: int
    reads: tuple[Read, ...]
    params: Params
    transform: Callable[[Frames, Params], pl.DataFrame] | None = None
    counting: Counting | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Return the names of the models that it reads."""
        return tuple(dict.fromkeys(read.table for read in self.reads if read.kind == "model"))

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """Return each table and model that it reads, as kind and name."""
        return tuple(dict.fromkeys((read.kind, read.table) for read in self.reads))

    def build(self, frames: Frames) -> pl.DataFrame:
        """Return the rows of the users that frames have, or what these users add to the counts."""
        if self.counting is not None:
            (read,) = self.reads
            return self.counting.count(frames.read(read).lazy()).collect(engine="streaming")
        if self.transform is None:
            raise ValueError(f"the recipe of {self.model.name} has no rule")
        return self.transform(frames, self.params)

    @property
    def is_built_by_bucket(self) -> bool:
        """Return whether the rows of any users alone make sense to the rule."""
        return self.model.user_local or self.counting is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What recipes are made for: a configuration, the table of each event that it names, all event tables there are.

    ``event_tables`` are published names, of sessions and pageviews too.
    """

    configuration: Configuration
    events: EventTables
    event_tables: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One model of the catalogue: its declaration, its recipe for given inputs, its key figures from its rows."""

    model: Model
    recipe: Callable[[Inputs], Recipe[Any]]
    key_figures: Callable[[pl.DataFrame], KeyFigures] = no_key_figures


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelParams:
    """What the channel of a session follows from: rules, of which the first that matches counts, and own domains."""

    rules: tuple[ChannelRule, ...]
    own_domains: tuple[str, ...]


def channel_params(configuration: Configuration) -> ChannelParams:
    """Return the rules of a configuration."""
    return ChannelParams(rules=configuration.channel_rules, own_domains=configuration.own_domains)
