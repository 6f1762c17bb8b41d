"""The assets: one per Heap table in each layer, and the published file.

Raw tables are landed in one step, resolved in a second, analyzed in a third, published in a fourth: a step of its own
for each table would cost more than the work. A table that a run sees first is landed and published like any other; it
becomes an asset when the definitions are loaded again. Here: steps of a few lines. Not here: specs (specs.py), what a
sync does (pipeline/sync.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from heap_assets.defs.assets.analytics import analytics_metadata, analytics_specs
from heap_assets.defs.assets.metadata import (
    Metadata,
    file_metadata,
    landed_metadata,
    published_metadata,
    report_metadata,
    resolved_metadata,
)
from heap_assets.defs.assets.specs import (
    PUBLISHED_MODELS,
    file_spec,
    heap_specs,
    migrated_specs,
    model_specs,
    report_spec,
    table_spec,
)
from heap_assets.defs.automation.pickup import telling_of_the_export
from heap_assets.defs.checks.checks import tell_keys, tell_touches
from heap_assets.defs.checks.freshness import data_times, report_data_times
from heap_assets.defs.internals import UNCHANGED
from heap_assets.defs.keys import (
    ANALYTICS_GROUP,
    DUCKDB_FILE,
    HEAP,
    MIGRATED,
    RAW,
    REPORT,
    SYNCED,
    model_key,
    table_key,
)
from heap_assets.defs.reloading import reload_definitions
from heap_assets.defs.resources import HeapSync
from heap_assets.models.attribution import ATTRIBUTION
from heap_assets.pipeline.landing.landing import Landing
from heap_assets.pipeline.registry import KnownTable, Registry
from heap_assets.pipeline.sync import Sync
from heap_assets.schema.heap_tables import EVENT_METADATA
from heap_assets.schema.own_tables import IDENTITY_MAP
from heap_assets.sources.external.table import ExternalTable

EVERY_DUMP_LANDED = "every_dump_landed"


class LandConfig(dg.Config):
    """What a run lands besides everything that is pending."""

    reland: list[int] = Field(
        default_factory=list,
        description="Dumps whose files are read again although they have landed, such as [1018].",
    )
    export_moved: bool = Field(
        default=False,
        description="The export of this lake now lies at HEAP_EXPORT_URI; another export is refused without this.",
    )
    recover: bool = Field(
        default=False,
        description="Begin a new ledger from the manifests of the export, where the lake's is lost or damaged.",
    )


class ResolveConfig(dg.Config):
    """How a run resolves."""

    rebuild: bool = Field(
        default=False,
        description=(
            "Compute everything again from the raw lake, analytics included; the result is the same, unless state was"
            " damaged."
        ),
    )


def sync_assets(
    tables: Sequence[KnownTable], registry: Registry, other: ExternalTable | None = None
) -> list[dg.AssetsDefinition]:
    """Return the assets of these tables, of the models and segments, and the published file."""
    models = analytics_specs(tables, registry)

    @dg.multi_asset(
        name="land",
        specs=[
            *(table_spec(RAW, table, [table_key(SYNCED, table.name)]) for table in tables),
            table_spec(RAW, KnownTable(name=EVENT_METADATA.kind), []),
        ],
        can_subset=True,
    )
    def land(
        context: dg.AssetExecutionContext, config: LandConfig, heap: dg.ResourceParam[HeapSync]
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        landing = _landing(context, config, heap.sync_of(context))
        for failure in landing.failures:
            context.log.error("%s", failure.reason)
        yield from _results(context, landed_metadata(landing))

    @dg.multi_asset(
        name="resolve",
        specs=[*heap_specs(tables), *migrated_specs(tables)],
        can_subset=True,
    )
    def resolve(
        context: dg.AssetExecutionContext, config: ResolveConfig, heap: dg.ResourceParam[HeapSync]
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        sync = heap.sync_of(context)
        resolution = sync.resolve(rebuild=config.rebuild)
        yield from _results(context, resolved_metadata(resolution, sync.storage, sync.configuration))
        tell_keys(context, sync)

    @dg.multi_asset(name="analyze", specs=models, can_subset=True)
    def analyze(context: dg.AssetExecutionContext, heap: dg.ResourceParam[HeapSync]) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        sync = heap.sync_of(context)
        analysis = sync.analyze()
        built = analytics_metadata(analysis, sync.storage, sync.configuration.migrated_schema_name)
        yield from _models(context, list(built))
        if analysis.models[ATTRIBUTION.name].changed:
            tell_touches(context, sync)

    @dg.multi_asset(
        name="publish",
        specs=[*model_specs(tables), file_spec(tables, models, other), report_spec()],
        check_specs=[
            dg.AssetCheckSpec(
                EVERY_DUMP_LANDED,
                asset=DUCKDB_FILE,
                blocking=True,
                description="Every dump that has arrived is in the file. One that is broken holds back later ones.",
            )
        ],
    )
    def publish(
        context: dg.AssetExecutionContext, heap: dg.ResourceParam[HeapSync]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        sync = heap.sync_of(context)
        publication = sync.publish()
        for name, reason in publication.skipped_definitions.items():
            context.log.warning("labeled property %s is left out: %s", name, reason)
        schemas = {sync.configuration.schema_name: HEAP, sync.configuration.migrated_schema_name: MIGRATED}
        for table in publication.tables:
            key = model_key(schemas.get(table.schema, ANALYTICS_GROUP), table.name)
            if key in PUBLISHED_MODELS:
                yield dg.MaterializeResult(asset_key=key, metadata=published_metadata(table))
        yield dg.MaterializeResult(asset_key=DUCKDB_FILE, metadata=file_metadata(publication))
        report_data_times(context.instance, data_times(sync), now=datetime.now(UTC))
        outcome = sync.last_landing()
        yield dg.AssetCheckResult(
            asset_key=DUCKDB_FILE,
            check_name=EVERY_DUMP_LANDED,
            passed=not outcome.failures,
            description="\n".join(failure.reason for failure in outcome.failures) or "Nothing is left behind.",
            metadata={"dumps_waiting": len(outcome.waiting), "failures": len(outcome.failures)},
        )
        # not a step of its own: a failed check skips those, and the report has to say then how old the data is
        yield dg.MaterializeResult(asset_key=REPORT, metadata=report_metadata(sync.report()))
        new = {table.name for table in sync.registry().tables} - {table.name for table in tables}
        reload_definitions(context, new, sync.settings.ui_url)

    return [land, resolve, analyze, publish]


def _landing(context: dg.AssetExecutionContext, config: LandConfig, sync: Sync) -> Landing:
    """Land what is pending, after what the run's configuration asks for besides."""
    if config.recover and (gone := sync.recover_ledger()):
        context.log.warning("dumps %s lie in the lake, but their manifests are gone: their rows do not count", gone)
    if config.export_moved:
        sync.accept_moved_export()
    with telling_of_the_export(context):
        return sync.land(reland=config.reland)


def _results(
    context: dg.AssetExecutionContext, changed: Mapping[dg.AssetKey, Metadata]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Yield a result for every asset of the step; what the run does not name is recorded for the asset that it will be.

    A step always does all its work. Yet a run names the assets that were known when it was asked for, and tables may
    have come since. Dagster skips a step as soon as one asset above it got no result. So an unchanged table gets one
    too, but one that is not recorded as a materialization.
    """
    mine = context.selected_asset_keys
    for key in sorted({*changed, *mine}, key=_identity_first):
        if key in mine:
            yield dg.MaterializeResult(asset_key=key, metadata=changed.get(key, UNCHANGED))
        else:
            context.log_event(dg.AssetMaterialization(key, metadata=changed[key]))


def _models(
    context: dg.AssetExecutionContext, built: Sequence[tuple[dg.AssetKey, bool, Metadata]]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Yield a result for every model, in the order in which they are built of one another; see ``_results``."""
    mine = context.selected_asset_keys
    for key, changed, metadata in built:
        if key in mine:
            yield dg.MaterializeResult(asset_key=key, metadata=metadata if changed else UNCHANGED)
        elif changed:
            context.log_event(dg.AssetMaterialization(key, metadata=metadata))
    for gone in sorted(mine - {key for key, *_ in built}):
        yield dg.MaterializeResult(asset_key=gone, metadata=UNCHANGED)


def _identity_first(key: dg.AssetKey) -> tuple[str, bool, str]:
    """Order keys by layer; Dagster wants the identity map before what is resolved with it."""
    layer, table = key.path
    return layer, table != IDENTITY_MAP.name, table
