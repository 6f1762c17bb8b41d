"""All definitions together: assets, the job, resources.

Here: assembly, from what runs have left word of (pipeline/last_known.py). Not here: bodies (assets/tables.py).
"""

import os
from functools import partial

import dagster as dg

from heap_assets.defs.assets.external_data import external_asset
from heap_assets.defs.assets.tables import sync_assets
from heap_assets.defs.automation.alerts import alert_sensor
from heap_assets.defs.automation.conditions import following, marts_sensor
from heap_assets.defs.automation.dead_runs import living_executor
from heap_assets.defs.automation.maintenance import maintenance_job, maintenance_schedule
from heap_assets.defs.automation.pickup import SYNC_JOB, export_check, manifest_sensor, nightly_schedule
from heap_assets.defs.checks.checks import inspect, table_checks
from heap_assets.defs.checks.completeness import completeness_check
from heap_assets.defs.checks.freshness import freshness_definitions, pipeline_policy, synced_specs
from heap_assets.defs.keys import ANALYTICS_GROUP, HEAP, MIGRATED, OTHER, PUBLISHED, RAW
from heap_assets.defs.resources import HeapDuckDB, HeapSync, heap_s3
from heap_assets.pipeline.last_known import read_known
from heap_assets.pipeline.progress import Progress
from heap_assets.pipeline.registry import KnownTable
from heap_assets.schema.heap_tables import PAGEVIEWS, SESSIONS, USER_MIGRATIONS, USERS

_GROUPS = (RAW, HEAP, MIGRATED, ANALYTICS_GROUP, PUBLISHED)
_ALWAYS = (USERS.kind, USER_MIGRATIONS.kind, SESSIONS.kind, PAGEVIEWS.kind)


def heap_definitions(*, progress: Progress | None = None) -> dg.Definitions:
    """Return the definitions for the tables that are known; ``progress`` listens to the runs instead of their log."""
    known = {name: KnownTable(name=name) for name in _ALWAYS}
    loaded = read_known(os.environ)
    registry, external = loaded.registry, loaded.external
    known.update({table.name: table for table in registry.tables})
    tables = [known[name] for name in sorted(known)]
    complete = completeness_check(loaded)
    by_hand = table_checks(tables)
    sync_job = dg.define_asset_job(
        SYNC_JOB,
        tags={"heap/sync": "1"},
        selection=dg.AssetSelection.groups(*_GROUPS, *([OTHER] if external else []))
        - dg.AssetSelection.checks(export_check, complete, by_hand),
        description=(
            "Lands every dump that has arrived, resolves it, makes the analytics and publishes the DuckDB file. Safe to"
            " run at any time: what is done is not done again. Set `ops.resolve.config.rebuild` to compute everything"
            " anew from the raw lake, `ops.land.config.reland` to read given dumps again."
        ),
    )
    limits = loaded.freshness
    policy = pipeline_policy(limits)
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[
                *synced_specs(tables, limits),
                *(
                    assets.map_asset_specs(partial(_watched, policy=policy)).map_asset_specs(following)
                    for assets in sync_assets(tables, registry, external)
                ),
                *([external_asset(external)] if external else []),
            ],
            asset_checks=[export_check, complete, inspect, by_hand],
            jobs=[sync_job, maintenance_job],
            schedules=[nightly_schedule, maintenance_schedule],
            sensors=[manifest_sensor(loaded), alert_sensor, marts_sensor],
            resources={
                "heap": HeapSync(progress),
                "s3": heap_s3,
                "duckdb": HeapDuckDB(),
            },
            executor=living_executor,
        ),
        freshness_definitions(tables),
    )


def _watched(spec: dg.AssetSpec, *, policy: dg.FreshnessPolicy) -> dg.AssetSpec:
    """Return what every run makes again with the policy of the pipeline; another table may rightly stay as it is."""
    return spec if spec.skippable else dg.apply_freshness_policy(spec, policy, overwrite_existing=False)
