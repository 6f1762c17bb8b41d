"""What a run names beforehand: the assets that every run looks at, not one for every event table.

Dagster records a plan event for each named asset and check, at 30-60 ms each in SQLite: half a minute for 100 event
tables in three layers, where a dump brings rows for a few. A step does all its work whatever is named, and what it
finds besides is recorded, too (assets/tables.py). Here: the names. Not here: runs by hand, which name what was clicked.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from heap_assets.defs.internals import assets_of_job, checks_of_job
from heap_assets.defs.keys import HEAP, MIGRATED, RAW, table_key
from heap_assets.pipeline.registry import KnownTable
from heap_assets.schema.heap_tables import EVENT, raw_table


@dataclass(frozen=True, slots=True)
class Standing:
    """Assets and checks to name; without the checks Dagster would add those that the job leaves out."""

    assets: tuple[dg.AssetKey, ...]
    checks: tuple[dg.AssetCheckKey, ...]


def standing(job: dg.JobDefinition, tables: Iterable[KnownTable]) -> Standing:
    """Return what a run of the job names: all but the assets of the event tables among ``tables``."""
    names = [table.name for table in tables if raw_table(table.name) is EVENT]
    of_events = {table_key(layer, name) for name in names for layer in (RAW, HEAP, MIGRATED)}
    assets = set(assets_of_job(job)) - of_events
    checks = [key for key in checks_of_job(job) if key.asset_key in assets]
    return Standing(tuple(sorted(assets)), tuple(sorted(checks)))
