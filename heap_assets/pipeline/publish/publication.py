"""Publication: what was resolved and built, published for readers.

Facts are read from the lake's Parquet where the lake is a folder, and copied where it is in S3, so that what is
published opens without any extension. Here: which relations there are, in which order. Not here: those of a resolution
(relations.py), rendering them (targets/).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from heap_assets.config.model import Configuration
from heap_assets.lake.storage import Storage
from heap_assets.models.catalog import ANALYTICS, SCHEMA
from heap_assets.pipeline.build import external_data
from heap_assets.pipeline.build.analysis import Analysis
from heap_assets.pipeline.build.external_data import JoinedTable
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.publish.published import Publication
from heap_assets.pipeline.publish.relations import Relations, described
from heap_assets.pipeline.resolve import sync_tables
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.schema.heap_tables import EVENT_METADATA
from heap_assets.schema.model import Model
from heap_assets.targets.relation import Files, Relation
from heap_assets.targets.target import Target


def publish(
    path: Path,
    target: Target,
    *,
    storage: Storage,
    ledger: Ledger,
    resolution: Resolution,
    analysis: Analysis,
    joined: JoinedTable | None = None,
    configuration: Configuration,
    refuse: Callable[[], None],
) -> Publication:
    """Publish everything; return what was published.

    ``refuse`` is called when all is made, and raises if nobody is to see it; what was published before stays then.
    """
    definitions = ledger.parsed_definitions()
    metadata = sync_tables.system_table(EVENT_METADATA.kind, resolution)
    sync_info = sync_tables.sync_info_table(resolution)
    tables = Relations(
        storage=storage,
        resolution=resolution,
        configuration=configuration,
        definitions=tuple(definitions.definitions),
        about={} if metadata is None else sync_tables.display_names(metadata),
    )
    relations = [
        *tables.as_delivered(ledger, sync_info),
        *tables.on_resolved_users(),
        *_models(tables, analysis, configuration),
        *([] if joined is None else [_external(joined, storage)]),
    ]
    schemas = [configuration.schema_name, configuration.migrated_schema_name, SCHEMA]
    schemas += [] if joined is None else [external_data.SCHEMA]
    published = target.publish(schemas, relations, refuse=refuse)
    return Publication(
        path=path,
        tables=published.tables,
        about=tables.about,
        synced=sync_tables.synced_tables(sync_info),
        skipped_definitions={
            **{skipped.name: skipped.reason for skipped in definitions.skipped},
            **tables.left_out.reasons(),
        },
        warnings=analysis.warnings,
        replaced=published.replaced,
    )


def _models(tables: Relations, analysis: Analysis, configuration: Configuration) -> Iterator[Relation]:
    """Yield the models of heap_analytics, and the segments beside the tables on resolved users."""
    for name, analyzed in analysis.models.items():
        model = analyzed.model
        schema = SCHEMA if model in ANALYTICS else configuration.migrated_schema_name
        content = tables.layers(analyzed.built, user=model.user)
        about = tables.about.get(name)
        yield described(schema, name, model, rows=analyzed.built.rows, content=content, about=about, small=model.small)


def _external(joined: JoinedTable, storage: Storage) -> Relation:
    """Return the table of the user's own."""
    declared = Model(name=joined.name, description=external_data.ABOUT, key=())
    content = Files(files=(str(storage.local_copy(joined.path)),))
    return described(external_data.SCHEMA, joined.name, declared, rows=joined.rows, content=content, small=True)
