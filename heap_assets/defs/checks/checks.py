"""The checks of every table as Dagster's asset checks, generated from their declarations.

A run tells the outcomes of tables that changed; by hand each check can be run for any table. Both tell every outcome,
and a check that crashes fails its step. Here: specs and telling. Not here: rules (quality/), inputs (pipeline/).
"""

import os
from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from heap_assets.defs.checks.outcomes import check_evaluation, check_result
from heap_assets.defs.keys import ANALYTICS_GROUP, DUCKDB_FILE, MIGRATED, model_key, table_key
from heap_assets.defs.resources import HeapSync
from heap_assets.models.attribution import ATTRIBUTION
from heap_assets.pipeline.inspect.inspection import Inspection, inspection, remember
from heap_assets.pipeline.inspect.key_check import key_outcomes, refuse_failed_keys
from heap_assets.pipeline.inspect.touch_check import touch_outcome
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.registry import KnownTable
from heap_assets.pipeline.sync import Sync
from heap_assets.quality.catalogue import IDENTITY_CHECKS, KEY, TOUCHES, TableCheck, checks_of
from heap_assets.quality.outcome import Outcome, Verdict
from heap_assets.schema.heap_tables import raw_table
from heap_assets.schema.own_tables import IDENTITY_MAP
from heap_assets.settings import read_settings

INSPECTED = dg.AssetCheckKey(DUCKDB_FILE, "every_table_inspected")
_IDENTITY = model_key(MIGRATED, IDENTITY_MAP.name)
_TOUCHES = dg.AssetCheckKey(model_key(ANALYTICS_GROUP, ATTRIBUTION.name), TOUCHES.name)
Outcomes = Mapping[dg.AssetCheckKey, Outcome]


def tell_keys(context: dg.AssetExecutionContext, sync: Sync) -> None:
    """Tell what the key check found, and fail the step, so that nothing is published, if it is not in order."""
    with sync.turn("check"):
        found = key_outcomes(sync.storage, sync.resolution())
    _tell(context, _keys(found))
    refuse_failed_keys(found)


def tell_touches(context: dg.AssetExecutionContext, sync: Sync) -> None:
    """Tell of how many conversions not all touches count."""
    _tell(context, _touches(sync))


@dg.asset_check(
    asset=INSPECTED.asset_key,
    name=INSPECTED.name,
    description=(
        "Every table that changed was inspected; what was found stands in the checks of each table. If this fails, the"
        " inspection itself broke: see the run's log."
    ),
)
def inspect(context: dg.AssetCheckExecutionContext, heap: dg.ResourceParam[HeapSync]) -> dg.AssetCheckResult:
    """Inspect what changed and tell the outcome of each check."""
    sync = heap.sync_of(context)
    done = inspection(sync.storage, sync.ledger(), sync.resolution())
    found = _found(done)
    _tell(context, found)
    with sync.turn("check"):
        remember(sync.storage, done)
    bad = [outcome for outcome in found.values() if not outcome.passed]
    return check_result(
        INSPECTED,
        Outcome(
            verdict=Verdict.PASSED,
            message=f"{len(done.tables)} tables changed; {len(bad)} of their {len(found)} checks found something.",
            numbers={"tables": len(done.tables), "checks": len(found), "found_something": len(bad)},
        ),
    )


def table_checks(tables: Sequence[KnownTable]) -> dg.AssetChecksDefinition:
    """Return the checks of these tables and of who became whom, to be run by hand."""
    specs = [
        dg.AssetCheckSpec(
            check.name,
            asset=table_key(check.layer, table.name),
            blocking=check.blocking,
            description=check.description,
        )
        for table in tables
        for check in checks_of(raw_table(table.name))
    ] + [dg.AssetCheckSpec(check.name, asset=_IDENTITY, description=check.description) for check in IDENTITY_CHECKS]
    specs.append(dg.AssetCheckSpec(TOUCHES.name, asset=_TOUCHES.asset_key, description=TOUCHES.description))

    @dg.multi_asset_check(name="inspect_tables", specs=specs, can_subset=True)
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        sync = Sync(read_settings(os.environ), Silence())
        resolution = sync.resolution()
        done = inspection(sync.storage, sync.ledger(), resolution, again=True)
        keys = _keys(key_outcomes(sync.storage, resolution, again=True))
        found = {**keys, **_found(done), **_touches(sync)}
        nothing = Outcome(verdict=Verdict.PASSED, message="Nothing has been delivered.")
        for key in sorted(context.selected_asset_check_keys):
            yield check_result(key, found.get(key, nothing))

    return checks


def _touches(sync: Sync) -> Outcomes:
    outcome = touch_outcome(sync.storage, sync.configuration.attribution)
    return {} if outcome is None else {_TOUCHES: outcome}


def _keys(found: Mapping[str, Outcome]) -> Outcomes:
    return {_key(KEY, table): outcome for table, outcome in found.items()}


def _found(done: Inspection) -> Outcomes:
    of_tables = {
        _key(check, table): outcome for table, outcomes in done.tables.items() for check, outcome in outcomes.items()
    }
    of_identity = {dg.AssetCheckKey(_IDENTITY, check.name): outcome for check, outcome in done.identity.items()}
    return of_tables | of_identity


def _key(check: TableCheck, table: str) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(table_key(check.layer, table), check.name)


def _tell(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext, outcomes: Outcomes) -> None:
    """Put outcomes down in the run although they were not planned: which tables change is not known beforehand."""
    for key, outcome in outcomes.items():
        # Dagster 1.13 takes evaluations here; its annotation does not say so
        context.op_execution_context.log_event(check_evaluation(key, outcome))  # type: ignore[arg-type]
        if not outcome.passed:
            context.log.warning("%s: %s", key.to_user_string(), outcome.message)
