"""All definitions together: assets, the job, resources.

Here: assembly, from the registry that a run leaves with the lake. Not here: bodies (tables.py).
"""

import os

import dagster as dg

from heap_assets.catalog import PAGEVIEWS, SESSIONS, USER_MIGRATIONS, USERS
from heap_assets.defs.keys import ANALYTICS_GROUP, HEAP, MIGRATED, PUBLISHED, RAW
from heap_assets.defs.resources import HeapDuckDB, HeapS3, HeapSync
from heap_assets.defs.tables import sync_assets
from heap_assets.errors import HeapAssetsError
from heap_assets.pipeline.progress import Progress, Silence
from heap_assets.pipeline.registry import KnownTable, Registry
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings

SYNC_JOB = "heap_sync"
_ALWAYS = (USERS.kind, USER_MIGRATIONS.kind, SESSIONS.kind, PAGEVIEWS.kind)


def heap_definitions(*, progress: Progress | None = None) -> dg.Definitions:
    """Return the definitions for the tables that are known; ``progress`` listens to the runs instead of their log."""
    known = {name: KnownTable(name=name) for name in _ALWAYS}
    registry = _registered()
    known.update({table.name: table for table in registry.tables})
    return dg.Definitions(
        assets=sync_assets([known[name] for name in sorted(known)], registry.segments),
        jobs=[
            dg.define_asset_job(
                SYNC_JOB,
                tags={"heap/sync": "1"},
                selection=dg.AssetSelection.groups(RAW, HEAP, MIGRATED, ANALYTICS_GROUP, PUBLISHED),
                description=(
                    "Lands every dump that has arrived, resolves it, makes the analytics and publishes the DuckDB file."
                    " Safe to run at any time: what is done is not done again. Set `ops.resolve.config.rebuild` to"
                    " compute everything anew from the raw lake, `ops.land.config.reland` to read given dumps again."
                ),
            )
        ],
        resources={
            "heap": HeapSync(progress),
            "s3": HeapS3(),
            "duckdb": HeapDuckDB(),
        },
        executor=dg.in_process_executor,
    )


def _registered() -> Registry:
    """Return the tables and segments that a run has left word of; none whatever is wrong with the settings."""
    try:
        return Sync(read_settings(os.environ), Silence()).registry()
    except HeapAssetsError:
        return Registry()
