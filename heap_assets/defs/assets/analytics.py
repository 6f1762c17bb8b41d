"""The assets of the analytics: one per model of heap_analytics and per segment, made in one step.

Here: specs with their lineage, and what an asset shows. Not here: making them (pipeline/build/analysis.py), publishing.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from heap_assets.defs.assets.metadata import Metadata
from heap_assets.defs.keys import ANALYTICS_GROUP, MIGRATED, model_key, table_key
from heap_assets.lake.storage import Storage
from heap_assets.models.catalog import ANALYTICS, CATALOG, SCHEMA, recipes, unconfigured
from heap_assets.models.key_figures import KeyFigures, no_key_figures
from heap_assets.models.segments import segment_model
from heap_assets.pipeline.build.analysis import Analysis
from heap_assets.pipeline.build.model_build import AnalyzedModel
from heap_assets.pipeline.registry import KnownTable, Registry
from heap_assets.schema.heap_tables import USERS, raw_table
from heap_assets.schema.model import Model
from heap_assets.schema.value_types import DATE, ValueType

_DUCKDB = {kind.polars: kind.duckdb for kind in (*ValueType, DATE)}
_FIGURES = {entry.model.name: entry.key_figures for entry in CATALOG}
_BLOCKS = 16
_LONGEST_LABEL = 60


def analytics_specs(tables: Sequence[KnownTable], registry: Registry) -> list[dg.AssetSpec]:
    """Return an asset for every model and segment, each after what its recipe reads."""
    events = [table.name for table in tables if raw_table(table.name).is_event_like]
    reads = {recipe.model: recipe.sources for recipe in recipes(unconfigured(events))}
    reads |= {segment_model(name): () for name in registry.segments}
    deps = {model: [*map(_key_of, registry.reads.get(model.name, sources))] for model, sources in reads.items()}
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


def _key_of(source: tuple[str, str]) -> dg.AssetKey:
    kind, name = source
    return model_key(ANALYTICS_GROUP, name) if kind == "model" else table_key(MIGRATED, name)


def _key(model: Model) -> dg.AssetKey:
    return model_key(ANALYTICS_GROUP, model.name)


def analytics_metadata(
    analysis: Analysis, storage: Storage, migrated_schema: str
) -> Iterator[tuple[dg.AssetKey, bool, Metadata]]:
    """Yield for every model, in the order in which they are built, whether it was built in full, and what it shows."""
    for name, analyzed in analysis.models.items():
        schema = SCHEMA if analyzed.model in ANALYTICS else migrated_schema
        columns = analyzed.rows(storage).collect_schema()
        about = _metadata(analyzed, f"{schema}.{name}", columns, _key_figures(analyzed, storage))
        if analysis.warnings:
            about["warnings"] = dg.MetadataValue.md("\n".join(f"- {warning}" for warning in analysis.warnings))
        yield _key(analyzed.model), analyzed.changed, about


def _key_figures(analyzed: AnalyzedModel, storage: Storage) -> KeyFigures:
    """Return the key figures of a model; none of a large one, and of one without rows."""
    if not analyzed.model.small or not analyzed.built.rows:
        return KeyFigures()
    return _FIGURES.get(analyzed.model.name, no_key_figures)(analyzed.rows(storage).collect())


def _metadata(analyzed: AnalyzedModel, table: str, schema: Mapping[str, pl.DataType], figures: KeyFigures) -> Metadata:
    meanings = {column.name: column.meaning for column in (*USERS.columns, *analyzed.model.columns)}
    columns = [dg.TableColumn(name, _DUCKDB[kind], meanings.get(name)) for name, kind in schema.items()]
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(analyzed.built.rows),
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
        f"{label:<{width}}  {'█' * max(round(bar.share * _BLOCKS), 1 if bar.share else 0):<{_BLOCKS}}  {bar.text}"
        for label, bar in zip(labels, figures.bars, strict=True)
    ]
    return "\n".join([f"**{_plain(figures.heading)}**", "", "```", *lines, "```"])


def _plain(text: str) -> str:
    """Return a text from data in one line that Markdown leaves alone."""
    line = " ".join(text.replace("`", "'").replace("*", "'").split())
    return line if len(line) <= _LONGEST_LABEL else f"{line[: _LONGEST_LABEL - 1]}…"
