"""All definitions together: assets, the job, resources.

Here: assembly, from the registry that a run leaves with the lake. Not here: bodies (tables.py).
"""

import os

import dagster as dg

from heap_assets.catalog import PAGEVIEWS, SESSIONS, USER_MIGRATIONS, USERS
from heap_assets.defs.keys import ANALYTICS_GROUP, HEAP, MIGRATED, OTHER, PUBLISHED, RAW
from heap_assets.defs.other_data import other_asset
from heap_assets.defs.resources import HeapDuckDB, HeapS3, HeapSync
from heap_assets.defs.tables import sync_assets
from heap_assets.errors import HeapAssetsError
from heap_assets.other_table import OtherTable
from heap_assets.pipeline.progress import Progress, Silence
from heap_assets.pipeline.registry import KnownTable, Registry
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings

SYNC_JOB = "heap_sync"
_GROUPS = (RAW, HEAP, MIGRATED, ANALYTICS_GROUP, PUBLISHED)
_ALWAYS = (USERS.kind, USER_MIGRATIONS.kind, SESSIONS.kind, PAGEVIEWS.kind)


def heap_definitions(*, progress: Progress | None = None) -> dg.Definitions:
    """Return the definitions for the tables that are known; ``progress`` listens to the runs instead of their log."""
    known = {name: KnownTable(name=name) for name in _ALWAYS}
    registry, other = _registered()
    known.update({table.name: table for table in registry.tables})
    return dg.Definitions(
        assets=[
            *sync_assets([known[name] for name in sorted(known)], registry, other),
            *([other_asset(other)] if other else []),
        ],
        jobs=[
            dg.define_asset_job(
                SYNC_JOB,
                tags={"heap/sync": "1"},
                selection=dg.AssetSelection.groups(*_GROUPS, *([OTHER] if other else [])),
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


def _registered() -> tuple[Registry, OtherTable | None]:
    """Return what a run has left word of, and the other table of the settings; nothing if anything is wrong there."""
    try:
        sync = Sync(read_settings(os.environ), Silence())
        return sync.registry(), sync.settings.other
    except HeapAssetsError:
        return Registry(), None
