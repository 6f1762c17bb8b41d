"""What a rule found, as Dagster shows it: verdict, sentence, numbers that are plotted, failing keys.

Here: Outcome to check results and evaluations. Not here: rules (quality/).
"""

from typing import TypedDict

import dagster as dg

from heap_assets.quality.outcome import Outcome, Verdict

_SEVERITY = {
    Verdict.PASSED: dg.AssetCheckSeverity.WARN,
    Verdict.WARNING: dg.AssetCheckSeverity.WARN,
    Verdict.FAILED: dg.AssetCheckSeverity.ERROR,
}


class _Told(TypedDict):
    """What a result and an evaluation are told alike."""

    asset_key: dg.AssetKey
    check_name: str
    passed: bool
    severity: dg.AssetCheckSeverity
    description: str
    metadata: dict[str, dg.MetadataValue]


def check_result(key: dg.AssetCheckKey, outcome: Outcome) -> dg.AssetCheckResult:
    """Return an outcome as what the body of a check yields."""
    return dg.AssetCheckResult(**_told(key, outcome))


def check_evaluation(key: dg.AssetCheckKey, outcome: Outcome) -> dg.AssetCheckEvaluation:
    """Return an outcome as an event of its own: from a sensor, or from a step that looks at tables not planned."""
    return dg.AssetCheckEvaluation(**_told(key, outcome))


def _told(key: dg.AssetCheckKey, outcome: Outcome) -> _Told:
    return _Told(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=outcome.passed,
        severity=_SEVERITY[outcome.verdict],
        description=outcome.message,
        metadata=_metadata(outcome),
    )


def _metadata(outcome: Outcome) -> dict[str, dg.MetadataValue]:
    """Return the numbers as numbers, so that Dagster plots them, and the keys one below the other."""
    metadata: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(value) if isinstance(value, int) else dg.MetadataValue.float(value)
        for name, value in outcome.numbers.items()
    }
    if outcome.keys:
        metadata["failing_keys"] = dg.MetadataValue.md("\n".join(f"- `{key}`" for key in outcome.keys))
    return metadata
