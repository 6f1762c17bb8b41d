"""What a recipe is: all that a model follows from, and how its rows are made.

A recipe names all that its model depends on, so that a model is made anew when, and only when, something of it changed.
Not here: the recipes (recipes.py).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import polars as pl

from heap_assets.pipeline.build.user_bucket import UserBucket
from heap_assets.schema.model import Model


@dataclass(frozen=True, slots=True)
class Counting:
    """How the rows of a model across users follow from counts that add up.

    Attributes:
        counts: Whole numbers that add up over users.
        counted: From rows of the model that it is made of, of any users: keys and counts.
        whole: From the keys and counts of all users: the model's rows.
    """

    counts: tuple[str, ...]
    counted: Callable[[pl.LazyFrame], pl.LazyFrame]
    whole: Callable[[pl.LazyFrame], pl.LazyFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a model is made.

    Attributes:
        after: Models that it is made of.
        reads: Of each event table that it is made of the columns, besides ids and time.
        rules: What its rows follow from besides data, by what it is about: the configuration, the columns of a table.
        data: A digest of the data of the tables that it is made of.
        rows: Makes the rows of a bucket of users; of a model that is not user-local those of all users, or what is
            counted of them.
        counting: How its rows add up over the users of the one model that it is made of, if they do.
    """

    model: Model
    after: tuple[Model, ...] = ()
    reads: Mapping[str, Collection[str]] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    data: str = ""
    rows: Callable[[UserBucket], pl.DataFrame]
    counting: Counting | None = None
