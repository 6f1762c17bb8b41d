"""The catalogue of models: those of schema heap_analytics, and the segments.

Adding a model is a file and a line here. Not here: Heap's tables (schema/heap_tables.py), the tables that resolving
makes (schema/own_tables.py).
"""

from collections.abc import Sequence
from typing import Any

from heap_assets.config.event_names import EventTables
from heap_assets.config.model import Configuration
from heap_assets.models import (
    attribution,
    attribution_by_channel,
    funnel_steps,
    funnel_users,
    heap_events,
    heap_pageviews,
    heap_sessions,
    heap_users,
    paths,
    retention,
    trends,
)
from heap_assets.models.recipe import CatalogEntry, Inputs, Recipe
from heap_assets.models.segments import segment_recipes

SCHEMA = "heap_analytics"
CATALOG: tuple[CatalogEntry, ...] = (
    heap_events.ENTRY,
    heap_pageviews.ENTRY,
    heap_sessions.ENTRY,
    heap_users.ENTRY,
    funnel_users.ENTRY,
    attribution.ENTRY,
    funnel_steps.ENTRY,
    attribution_by_channel.ENTRY,
    retention.ENTRY,
    paths.ENTRY,
    trends.ENTRY,
)
"""Every model of heap_analytics, each after those that it reads."""
ANALYTICS = tuple(entry.model for entry in CATALOG)


def unconfigured(event_tables: Sequence[str]) -> Inputs:
    """Return the inputs of these event tables without any configuration."""
    return Inputs(configuration=Configuration(), events=EventTables({}, ()), event_tables=tuple(event_tables))


def recipes(inputs: Inputs) -> tuple[Recipe[Any], ...]:
    """Return the recipe of every model and segment, each after those of the models that it reads."""
    return (*(entry.recipe(inputs) for entry in CATALOG), *segment_recipes(inputs))
