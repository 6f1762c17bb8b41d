"""All definitions together: assets, the job, resources.

Here: assembly, from the registry that a run leaves with the lake. Not here: bodies (tables.py).
"""

import os
from contextlib import suppress
from functools import partial

import dagster as dg

from heap_assets.catalog import PAGEVIEWS, SESSIONS, USER_MIGRATIONS, USERS
from heap_assets.config.model import Configuration
from heap_assets.defs.alerts import alert_sensor
from heap_assets.defs.automation import following, marts_sensor
from heap_assets.defs.checks import inspect, table_checks
from heap_assets.defs.freshness import freshness_definitions, pipeline_policy, synced_specs
from heap_assets.defs.keys import ANALYTICS_GROUP, HEAP, MIGRATED, OTHER, PUBLISHED, RAW
from heap_assets.defs.maintenance import maintenance_job, maintenance_schedule
from heap_assets.defs.other_data import other_asset
from heap_assets.defs.pickup import SYNC_JOB, export_check, manifest_sensor, nightly_schedule
from heap_assets.defs.resources import HeapDuckDB, HeapSync, heap_s3
from heap_assets.defs.tables import sync_assets
from heap_assets.errors import HeapAssetsError
from heap_assets.other_table import OtherTable
from heap_assets.pipeline.progress import Progress, Silence
from heap_assets.pipeline.registry import KnownTable, Registry
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings

_GROUPS = (RAW, HEAP, MIGRATED, ANALYTICS_GROUP, PUBLISHED)
_ALWAYS = (USERS.kind, USER_MIGRATIONS.kind, SESSIONS.kind, PAGEVIEWS.kind)


def heap_definitions(*, progress: Progress | None = None) -> dg.Definitions:
    """Return the definitions for the tables that are known; ``progress`` listens to the runs instead of their log."""
    known = {name: KnownTable(name=name) for name in _ALWAYS}
    registry, configuration, other = _left_by_runs()
    known.update({table.name: table for table in registry.tables})
    tables = [known[name] for name in sorted(known)]
    by_hand = table_checks(tables)
    sync_job = dg.define_asset_job(
        SYNC_JOB,
        tags={"heap/sync": "1"},
        selection=dg.AssetSelection.groups(*_GROUPS, *([OTHER] if other else []))
        - dg.AssetSelection.checks(export_check, by_hand),
        description=(
            "Lands every dump that has arrived, resolves it, makes the analytics and publishes the DuckDB file. Safe to"
            " run at any time: what is done is not done again. Set `ops.resolve.config.rebuild` to compute everything"
            " anew from the raw lake, `ops.land.config.reland` to read given dumps again."
        ),
    )
    limits = configuration.freshness
    policy = pipeline_policy(limits)
    return dg.Definitions.merge(
        dg.Definitions(
            assets=[
                *synced_specs(tables, limits),
                *(
                    assets.map_asset_specs(partial(_watched, policy=policy)).map_asset_specs(following)
                    for assets in sync_assets(tables, registry, other)
                ),
                *([other_asset(other)] if other else []),
            ],
            asset_checks=[export_check, inspect, by_hand],
            jobs=[sync_job, maintenance_job],
            schedules=[nightly_schedule, maintenance_schedule],
            sensors=[manifest_sensor, alert_sensor, marts_sensor],
            resources={
                "heap": HeapSync(progress),
                "s3": heap_s3,
                "duckdb": HeapDuckDB(),
            },
            executor=dg.in_process_executor,
        ),
        freshness_definitions(tables),
    )


def _watched(spec: dg.AssetSpec, *, policy: dg.FreshnessPolicy) -> dg.AssetSpec:
    """Return what every run makes anew with the policy of the pipeline; another table may rightly stay as it is."""
    return spec if spec.skippable else dg.apply_freshness_policy(spec, policy, overwrite_existing=False)


def _left_by_runs() -> tuple[Registry, Configuration, OtherTable | None]:
    """Return what a run has left word of, the configuration that holds, and the other table of the settings.

    Definitions load without any of them, whatever is wrong with the settings: a run says what is.
    """
    registry, configuration, other = Registry(), Configuration(), None
    with suppress(HeapAssetsError):
        sync = Sync(read_settings(os.environ), Silence())
        other = sync.settings.other
        registry = sync.registry()
        configuration = sync.configuration
    return registry, configuration, other
