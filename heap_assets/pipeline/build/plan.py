"""The plan of a build: which models are as they should be, which only new data is for, which rules changed.

A model's fingerprint is taken of its recipe's version and parameters, of the columns and the data that it reads, and of
the fingerprints of the models that it reads. Here: values from values. Not here: building (model_build.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heap_assets.models.recipe import Read, Recipe
from heap_assets.pipeline.build.analytics_state import BuiltModel
from heap_assets.pipeline.build.migrated_table import MigratedTable, MigratedTables
from heap_assets.schema.fingerprint import fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedModel:
    """A recipe, its fingerprint now, and the model as it was built before, if it was.

    ``rules`` has a fingerprint of each thing that the rows follow from besides data.
    """

    recipe: Recipe[Any]
    fingerprint: str
    rules: Mapping[str, str]
    before: BuiltModel | None

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.recipe.model.name

    @property
    def is_current(self) -> bool:
        """Return whether nothing changed that the rows follow from."""
        return self.before is not None and self.before.of == self.fingerprint

    @property
    def has_its_rules(self) -> bool:
        """Return whether it was built before by rules that hold still; others may have come, as a table does."""
        return self.before is not None and all(self.rules.get(of) == rule for of, rule in self.before.rules.items())


@dataclass(frozen=True, slots=True)
class Plan:
    """Every model, each after those that it reads."""

    models: Mapping[str, PlannedModel]

    def refreshable(self) -> tuple[PlannedModel, ...]:
        """Return the user-local models that the rows of some users are enough for: only data changed."""
        full: set[str] = set()
        found = []
        for planned in self.models.values():
            if planned.is_current:
                continue
            local = planned.recipe.model.user_local and planned.has_its_rules
            if local and not full & set(planned.recipe.models):
                found.append(planned)
            else:
                full.add(planned.name)
        return tuple(found)


def plan(recipes: Sequence[Recipe[Any]], tables: MigratedTables, before: Mapping[str, BuiltModel]) -> Plan:
    """Return the plan of these recipes, given in the order in which they read each other."""
    planned: dict[str, PlannedModel] = {}
    for recipe in recipes:
        rules = _rules(recipe, tables)
        above = tuple(planned[name].fingerprint for name in recipe.models)
        of = fingerprint(sorted(rules.items()), _data(recipe, tables), above)
        name = recipe.model.name
        planned[name] = PlannedModel(recipe=recipe, fingerprint=of, rules=rules, before=before.get(name))
    return Plan(planned)


def columns_read(reads: Sequence[Read]) -> dict[str, set[str]]:
    """Return of each event table the columns that are read of it, besides ids and time."""
    columns: dict[str, set[str]] = {}
    for read in reads:
        if read.kind == "event":
            columns.setdefault(read.table, set()).update(read.table_columns)
    return columns


def _rules(recipe: Recipe[Any], tables: MigratedTables) -> dict[str, str]:
    """Return the rules of a recipe; a table that does not exist has none."""
    rules = {"version": str(recipe.version), "configuration": fingerprint(recipe.params)}
    for name, columns in columns_read(recipe.reads).items():
        if (table := tables.events.get(name)) is not None:
            rules[f"table {name}"] = table.rule(columns)
    if any(read.kind == "users" for read in recipe.reads):
        rules["users"] = "" if tables.users is None else tables.users.rule(_columns_of_users(recipe, tables.users))
    return rules


def _columns_of_users(recipe: Recipe[Any], users: MigratedTable) -> tuple[str, ...]:
    reads = (read for read in recipe.reads if read.kind == "users")
    return tuple(column for read in reads for column in (users.values if read.columns is None else read.table_columns))


def _data(recipe: Recipe[Any], tables: MigratedTables) -> str:
    """Return a fingerprint of the data that a recipe reads; it changes when a table comes."""
    names = sorted(columns_read(recipe.reads))
    read = [(name, None if (table := tables.events.get(name)) is None else table.data) for name in names]
    reads_users = any(one.kind == "users" for one in recipe.reads)
    return fingerprint(reads_users and tables.users is not None and tables.users.data, *read)
