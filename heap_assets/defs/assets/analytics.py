"""The assets of the analytics: one per model of heap_analytics and per segment, made in one step.

Here: specs with their lineage, and what an asset shows. Not here: making them (pipeline/build/analysis.py), publishing.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from heap_assets.analytics_models import (
    ANALYTICS,
    ATTRIBUTION,
    ATTRIBUTION_BY_CHANNEL,
    FUNNEL_STEPS,
    FUNNEL_USERS,
    HEAP_EVENTS,
    HEAP_PAGEVIEWS,
    HEAP_SESSIONS,
    HEAP_USERS,
    PATHS,
    RETENTION,
    SCHEMA,
    segment_model,
)
from heap_assets.defs.assets.metadata import Metadata
from heap_assets.defs.keys import ANALYTICS_GROUP, MIGRATED, model_key, table_key
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analysis import Analysis
from heap_assets.pipeline.build.key_figures import KeyFigures, key_figures
from heap_assets.pipeline.build.model_making import AnalyzedModel
from heap_assets.pipeline.registry import KnownTable, Registry
from heap_assets.schema.heap_tables import PAGEVIEWS, SESSIONS, USERS, raw_table
from heap_assets.schema.model import Model
from heap_assets.schema.value_types import DATE, ValueType

_DUCKDB = {kind.polars: kind.duckdb for kind in (*ValueType, DATE)}
_BLOCKS = 16
_LONGEST_LABEL = 60


def analytics_specs(tables: Sequence[KnownTable], registry: Registry) -> list[dg.AssetSpec]:
    """Return an asset for every model and segment, each after what its recipe reads (pipeline/build/recipes.py)."""
    events = [table_key(MIGRATED, table.name) for table in tables if raw_table(table.name).is_event_like]
    sessions, pageviews = table_key(MIGRATED, SESSIONS.kind), table_key(MIGRATED, PAGEVIEWS.kind)
    users = table_key(MIGRATED, USERS.kind)
    deps = {
        HEAP_EVENTS: [key for key in events if key != sessions],
        HEAP_PAGEVIEWS: [pageviews],
        HEAP_SESSIONS: [sessions, _key(HEAP_EVENTS)],
        HEAP_USERS: [users, sessions],
        FUNNEL_USERS: [
            *(table_key(MIGRATED, name) for name in registry.funnels),
            *([users] if registry.grouped_funnels else []),
        ],
        ATTRIBUTION: [_key(HEAP_EVENTS), _key(HEAP_SESSIONS)],
        FUNNEL_STEPS: [_key(FUNNEL_USERS)],
        ATTRIBUTION_BY_CHANNEL: [_key(ATTRIBUTION)],
        RETENTION: [_key(HEAP_SESSIONS)],
        PATHS: [_key(HEAP_EVENTS)],
    }
    for segment, read in registry.segments.items():
        deps[segment_model(segment)] = [users, *(table_key(MIGRATED, name) for name in read)]
    return [
        dg.AssetSpec(
            _key(model),
            deps=above,
            description=model.description,
            group_name=ANALYTICS_GROUP,
            kinds={"polars", "table" if model.small else "view"},
            skippable=True,
        )
        for model, above in deps.items()
    ]


def _key(model: Model) -> dg.AssetKey:
    return model_key(ANALYTICS_GROUP, model.name)


def analytics_metadata(
    analysis: Analysis, storage: Storage, migrated_schema: str
) -> Iterator[tuple[dg.AssetKey, bool, Metadata]]:
    """Yield for every model, in the order in which they are made, whether it was made anew, and what it shows."""
    for name, analyzed in analysis.models.items():
        schema = SCHEMA if analyzed.model in ANALYTICS else migrated_schema
        columns = analyzed.rows(storage).collect_schema()
        about = _metadata(analyzed, f"{schema}.{name}", columns, key_figures(storage, analyzed))
        if analysis.warnings:
            about["warnings"] = dg.MetadataValue.md("\n".join(f"- {warning}" for warning in analysis.warnings))
        yield _key(analyzed.model), analyzed.changed, about


def _metadata(analyzed: AnalyzedModel, table: str, schema: Mapping[str, pl.DataType], figures: KeyFigures) -> Metadata:
    meanings = {column.name: column.meaning for column in (*USERS.columns, *analyzed.model.columns)}
    columns = [dg.TableColumn(name, _DUCKDB[kind], meanings.get(name)) for name, kind in schema.items()]
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(analyzed.made.rows),
        "dagster/table_name": dg.MetadataValue.text(table),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns=columns)),
    }
    for name, number in figures.numbers.items():
        metadata[name] = (
            dg.MetadataValue.int(number) if isinstance(number, int) else dg.MetadataValue.float(round(number, 4))
        )
    if figures.bars:
        metadata["picture"] = dg.MetadataValue.md(_picture(figures))
    return metadata


def _picture(figures: KeyFigures) -> str:
    """Draw the bars as text: the UI shows Markdown of less than 1,000 letters in place, anything longer as a link."""
    labels = [_plain(bar.label) for bar in figures.bars]
    width = max(map(len, labels))
    lines = [
        f"{label:<{width}}  {'█' * max(round(bar.share * _BLOCKS), 1 if bar.share else 0):<{_BLOCKS}}  {bar.told}"
        for label, bar in zip(labels, figures.bars, strict=True)
    ]
    return "\n".join([f"**{_plain(figures.heading)}**", "", "```", *lines, "```"])


def _plain(text: str) -> str:
    """Return a text from data in one line that Markdown leaves alone."""
    line = " ".join(text.replace("`", "'").replace("*", "'").split())
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 1]}…"
