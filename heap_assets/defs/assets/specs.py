"""The specs of the assets: keys, lineage, groups and what the analyst who clicks an asset reads.

Here: Heap's tables in each layer, the tables that are made when the file is published, the file. Not here: the steps
that make them (tables.py), the models of the analytics (analytics.py).
"""

from collections.abc import Iterable, Sequence

import dagster as dg

from heap_assets.defs.keys import DUCKDB_FILE, HEAP, MIGRATED, OTHER, PUBLISHED, RAW, REPORT, model_key, table_key
from heap_assets.pipeline.registry import KnownTable
from heap_assets.schema.heap_tables import EVENT_METADATA, SYNC_HISTORY, SYNC_INFO, USER_MIGRATIONS, USERS, raw_table
from heap_assets.schema.own_tables import ALL_EVENTS, IDENTITY_MAP, QUARANTINE
from heap_assets.sources.external.table import ExternalTable

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
PUBLISHED_MODELS = {
    model_key(HEAP, ALL_EVENTS.name): f"{ALL_EVENTS.description}\n\n{_LAYERS[HEAP]}",
    model_key(HEAP, SYNC_INFO.kind): SYNC_INFO.description,
    model_key(HEAP, SYNC_HISTORY.kind): SYNC_HISTORY.description,
    model_key(HEAP, EVENT_METADATA.kind): EVENT_METADATA.description,
    model_key(HEAP, QUARANTINE.name): QUARANTINE.description,
    model_key(MIGRATED, ALL_EVENTS.name): f"{ALL_EVENTS.description}\n\n{_LAYERS[MIGRATED]}",
}


def table_spec(layer: str, table: KnownTable, deps: Iterable[dg.AssetKey]) -> dg.AssetSpec:
    """Return the asset of a table in a layer."""
    declared = raw_table(table.name)
    title = f"{table.about.rstrip('.')}.\n\n" if table.about else ""
    archived = f"{table.archived}\n\n" if table.archived else ""
    described = f"{title}{archived}{declared.description}\n\n{_LAYERS[layer]}"
    return dg.AssetSpec(
        table_key(layer, table.name),
        deps=list(deps),
        description=_PEOPLE if (layer, table.name) == (MIGRATED, USERS.kind) else described,
        group_name=layer,
        kinds=_KINDS[layer],
        tags={"heap/retired": ""} if table.archived else {},
        skippable=True,
    )


def heap_specs(tables: Sequence[KnownTable]) -> list[dg.AssetSpec]:
    """Return the assets of the tables without migrations."""
    return [table_spec(HEAP, table, [table_key(RAW, table.name)]) for table in tables]


def migrated_specs(tables: Sequence[KnownTable]) -> list[dg.AssetSpec]:
    """Return the assets of the tables with migrations, and the identity map."""
    identity = model_key(MIGRATED, IDENTITY_MAP.name)
    specs = [
        table_spec(MIGRATED, table, [table_key(HEAP, table.name), identity])
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


def report_spec() -> dg.AssetSpec:
    """Return the asset of the report."""
    return dg.AssetSpec(
        REPORT,
        deps=[DUCKDB_FILE],
        description=(
            "One HTML page for people who do not write SQL: funnels with their conversion, attribution by channel,"
            " retention, activity per day, and how fresh the data is. It needs no network; `heap-assets report` opens"
            " it."
        ),
        group_name=PUBLISHED,
        kinds={"html"},
    )


def model_specs(tables: Sequence[KnownTable]) -> list[dg.AssetSpec]:
    """Return the assets of what is made when the file is published."""
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
        for key, description in PUBLISHED_MODELS.items()
    ]


def file_spec(
    tables: Sequence[KnownTable], models: Sequence[dg.AssetSpec], other: ExternalTable | None
) -> dg.AssetSpec:
    """Return the asset of the published file."""
    resolved = [*heap_specs(tables), *migrated_specs(tables)]
    others = [] if other is None else [model_key(OTHER, other.name)]
    return dg.AssetSpec(
        DUCKDB_FILE,
        deps=[*(spec.key for spec in (*resolved, *models)), *PUBLISHED_MODELS, *others],
        description=(
            "The DuckDB file that analysts open. It is built beside the old one and swapped in: nobody who has it open"
            " waits, and nobody sees it half built. Open it read-only: what others write into it is gone with the next"
            " sync, so keep tables and schemas of your own in a file of yours."
        ),
        group_name=PUBLISHED,
        kinds=_KINDS[PUBLISHED],
    )
