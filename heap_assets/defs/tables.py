"""The assets: one per Heap table in each layer, and the published file.

Raw tables are landed in one step, resolved in a second, published in a third: a step of its own for each table would
cost more than the work. A table that a run sees first is landed and published like any other; it becomes an asset when
the definitions are loaded again. Here: specs and bodies of a few lines. Not here: what a sync does (pipeline/sync.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from pydantic import Field

from heap_assets.catalog import (
    ALL_EVENTS,
    EVENT_METADATA,
    IDENTITY_MAP,
    QUARANTINE,
    SYNC_HISTORY,
    SYNC_INFO,
    USER_MIGRATIONS,
    USERS,
    raw_table,
)
from heap_assets.defs.checks import tell_keys
from heap_assets.defs.freshness import data_times, report_data_times
from heap_assets.defs.keys import DUCKDB_FILE, HEAP, MIGRATED, PUBLISHED, RAW, SYNCED, model_key, table_key
from heap_assets.defs.metadata import Metadata, file_metadata, landed_metadata, published_metadata, resolved_metadata
from heap_assets.defs.reloading import reload_definitions
from heap_assets.defs.resources import HeapSync
from heap_assets.pipeline.registry import KnownTable

EVERY_DUMP_LANDED = "every_dump_landed"


class LandConfig(dg.Config):
    """What a run lands besides everything that is pending."""

    reland: list[int] = Field(
        default_factory=list,
        description="Dumps whose files are read again although they have landed, such as [1018].",
    )


class ResolveConfig(dg.Config):
    """How a run resolves."""

    rebuild: bool = Field(
        default=False,
        description="Compute everything anew from the raw lake; the result is the same, unless state was damaged.",
    )


def table_assets(tables: Sequence[KnownTable]) -> list[dg.AssetsDefinition]:
    """Return the assets of these tables, and the published file."""

    @dg.multi_asset(
        name="land",
        specs=[
            *(_spec(RAW, table, [table_key(SYNCED, table.name)]) for table in tables),
            _spec(RAW, KnownTable(name=EVENT_METADATA.kind), []),
        ],
        can_subset=True,
    )
    def land(
        context: dg.AssetExecutionContext, config: LandConfig, heap: dg.ResourceParam[HeapSync]
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        landing = heap.of(context).land(reland=config.reland)
        for failure in landing.failures:
            context.log.error("%s", failure.reason)
        yield from _results(context, landed_metadata(landing))

    @dg.multi_asset(
        name="resolve",
        specs=[*_heap_specs(tables), *_migrated_specs(tables)],
        can_subset=True,
    )
    def resolve(
        context: dg.AssetExecutionContext, config: ResolveConfig, heap: dg.ResourceParam[HeapSync]
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        sync = heap.of(context)
        resolution = sync.resolve(rebuild=config.rebuild)
        yield from _results(context, resolved_metadata(resolution, sync.configuration))
        tell_keys(context, sync)

    @dg.multi_asset(
        name="publish",
        specs=[*_model_specs(tables), _file_spec(tables)],
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
        sync = heap.of(context)
        publication = sync.publish()
        for name, reason in publication.skipped_definitions.items():
            context.log.warning("labeled property %s is left out: %s", name, reason)
        schemas = {sync.configuration.schema_name: HEAP, sync.configuration.migrated_schema_name: MIGRATED}
        for table in publication.tables:
            key = model_key(schemas[table.schema], table.name)
            if key in _MODELS:
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
        new = {table.name for table in sync.known_tables()} - {table.name for table in tables}
        reload_definitions(context, new, sync.settings.ui_url)

    return [land, resolve, publish]


def _results(
    context: dg.AssetExecutionContext, changed: Mapping[dg.AssetKey, Metadata]
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Yield a result for every asset of the step; what the run does not name is put down for the asset that it will be.

    A step always does all its work. Yet a run names the assets that were known when it was asked for, and tables may
    have come since. Dagster skips a step as soon as one asset above it got no result. So an unchanged table gets one
    too, but one that is not put down as a materialization.
    """
    mine = context.selected_asset_keys
    for key in sorted({*changed, *mine}, key=_identity_first):
        if key in mine:
            yield dg.MaterializeResult(asset_key=key, metadata=changed.get(key, _UNCHANGED))
        else:
            context.log_event(dg.AssetMaterialization(key, metadata=changed[key]))


def _identity_first(key: dg.AssetKey) -> tuple[str, bool, str]:
    """Order keys by layer; Dagster wants the identity map before what is resolved with it."""
    layer, table = key.path
    return layer, table != IDENTITY_MAP.name, table


_UNCHANGED = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: dg.MetadataValue.bool(value=True)}
"""Marks a result of which Dagster 1.13 puts nothing down; it has no public name for that."""
_KINDS = {RAW: {"avro", "deltalake"}, HEAP: {"polars", "view"}, MIGRATED: {"polars", "view"}, PUBLISHED: {"duckdb"}}
_LAYERS = {
    RAW: "As Heap delivered it, every dump kept apart.",
    HEAP: "Each row once, the newest dump's; user ids as Heap recorded them.",
    MIGRATED: "Each row once, merged users resolved: user_id is the person, original_user_id what Heap recorded.",
}
_PEOPLE = (
    "One row per person: all user ids that were merged into one. Of each property the newest value that is known;"
    " joindate is the earliest, last_modified the latest."
)
_MODELS = {
    model_key(HEAP, ALL_EVENTS.name): f"{ALL_EVENTS.description}\n\n{_LAYERS[HEAP]}",
    model_key(HEAP, SYNC_INFO.kind): SYNC_INFO.description,
    model_key(HEAP, SYNC_HISTORY.kind): SYNC_HISTORY.description,
    model_key(HEAP, EVENT_METADATA.kind): EVENT_METADATA.description,
    model_key(HEAP, QUARANTINE.name): QUARANTINE.description,
    model_key(MIGRATED, ALL_EVENTS.name): f"{ALL_EVENTS.description}\n\n{_LAYERS[MIGRATED]}",
}


def _spec(layer: str, table: KnownTable, deps: Iterable[dg.AssetKey]) -> dg.AssetSpec:
    declared = raw_table(table.name)
    title = f"{table.about.rstrip('.')}.\n\n" if table.about else ""
    retired = f"{table.retired}\n\n" if table.retired else ""
    described = f"{title}{retired}{declared.description}\n\n{_LAYERS[layer]}"
    return dg.AssetSpec(
        table_key(layer, table.name),
        deps=list(deps),
        description=_PEOPLE if (layer, table.name) == (MIGRATED, USERS.kind) else described,
        group_name=layer,
        kinds=_KINDS[layer],
        tags={"heap/retired": ""} if table.retired else {},
        skippable=True,
    )


def _heap_specs(tables: Sequence[KnownTable]) -> list[dg.AssetSpec]:
    return [_spec(HEAP, table, [table_key(RAW, table.name)]) for table in tables]


def _migrated_specs(tables: Sequence[KnownTable]) -> list[dg.AssetSpec]:
    identity = model_key(MIGRATED, IDENTITY_MAP.name)
    specs = [
        _spec(MIGRATED, table, [table_key(HEAP, table.name), identity])
        for table in tables
        if raw_table(table.name).is_event_like or table.name == USERS.kind
    ]
    return [
        *specs,
        dg.AssetSpec(
            identity,
            deps=[table_key(HEAP, USER_MIGRATIONS.kind)],
            description=IDENTITY_MAP.description,
            group_name=MIGRATED,
            kinds={"polars"},
            skippable=True,
        ),
    ]


def _model_specs(tables: Sequence[KnownTable]) -> list[dg.AssetSpec]:
    events = [table.name for table in tables if raw_table(table.name).is_event_like]
    every = [table.name for table in tables]
    deps = {
        model_key(HEAP, ALL_EVENTS.name): [table_key(HEAP, name) for name in events],
        model_key(MIGRATED, ALL_EVENTS.name): [table_key(MIGRATED, name) for name in events],
        model_key(HEAP, SYNC_INFO.kind): [table_key(HEAP, name) for name in every],
        model_key(HEAP, QUARANTINE.name): [table_key(RAW, name) for name in every],
        model_key(HEAP, EVENT_METADATA.kind): [table_key(RAW, EVENT_METADATA.kind)],
    }
    return [
        dg.AssetSpec(
            key,
            deps=deps.get(key, []),
            description=description,
            group_name=key.path[0],
            kinds={"duckdb"},
        )
        for key, description in _MODELS.items()
    ]


def _file_spec(tables: Sequence[KnownTable]) -> dg.AssetSpec:
    resolved = [*_heap_specs(tables), *_migrated_specs(tables)]
    return dg.AssetSpec(
        DUCKDB_FILE,
        deps=[*(spec.key for spec in resolved), *_MODELS],
        description=(
            "The DuckDB file that analysts open. It is built beside the old one and swapped in: nobody who has it open"
            " waits, and nobody sees it half built."
        ),
        group_name=PUBLISHED,
        kinds=_KINDS[PUBLISHED],
    )
