"""Declarative automation: models and the published file follow what they are made of.

A run of heap_sync makes them itself, after their inputs, so then nothing is left to do. What remains is a table that
somebody materialized by hand. Here: the condition and its sensor. Not here: heap_sync's own sensor (pickup.py).
"""

import dagster as dg

from heap_assets.defs.keys import ANALYTICS_GROUP, PUBLISHED

MARTS_SENSOR = "heap_marts"
_GROUPS = (ANALYTICS_GROUP, PUBLISHED)
_ANY_TABLE = dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())  # not each is delivered
# all_deps_blocking_checks_passed, but for the checks that never ran since their table was never delivered
_NONE_BLOCKS = dg.AutomationCondition.all_deps_match(
    dg.AutomationCondition.all_checks_match(~dg.AutomationCondition.check_failed(), blocking_only=True)
)
_CONDITION = (_ANY_TABLE & _NONE_BLOCKS).with_label("follows what it is made of, while no blocking check fails")

marts_sensor = dg.AutomationConditionSensorDefinition(
    MARTS_SENSOR,
    target=dg.AssetSelection.groups(*_GROUPS),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
    run_tags={"heap/sync": "1", "dagster/max_retries": "2", "dagster/retry_on_asset_or_op_failure": "true"},
    description=(
        "Has models, the published file and the report made again after somebody materialized by hand what they are"
        " made of; a run that fails is repeated twice. Prevents: models that are older than their tables. Nothing is"
        " made while a blocking check of an input fails. What heap_sync makes needs no second run."
    ),
)


def following(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Return the spec of a model, the file or the report with the condition; any other as it is."""
    return spec.replace_attributes(automation_condition=_CONDITION) if spec.group_name in _GROUPS else spec
