"""Whether the definitions that are loaded are all there is, or of what was known before something became unreadable.

Here: the check, and telling it without a run. Not here: reading (pipeline/last_known.py).
"""

import logging
import os

import dagster as dg

from heap_assets.defs.checks.outcomes import check_evaluation, check_result
from heap_assets.defs.internals import last_evaluation
from heap_assets.defs.keys import DUCKDB_FILE
from heap_assets.pipeline.last_known import Known, read_known
from heap_assets.quality.outcome import Outcome, Verdict

COMPLETE = dg.AssetCheckKey(DUCKDB_FILE, "definitions_complete")


def completeness_check(loaded: Known) -> dg.AssetChecksDefinition:
    """Return the check of definitions that were made of this."""
    for reason in loaded.wrong:
        logging.getLogger(__name__).warning("%s Definitions are loaded as they were last known.", reason)

    @dg.asset_check(
        asset=COMPLETE.asset_key,
        name=COMPLETE.name,
        description=(
            "Settings, configuration and lake could be read when these definitions were loaded. If not, tables and"
            " freshness policies are those that were last known: mend what the check names, then reload definitions."
        ),
    )
    def check() -> dg.AssetCheckResult:
        return check_result(COMPLETE, _outcome(loaded))

    return check


def tell_completeness(instance: dg.DagsterInstance, loaded: Known) -> None:
    """Put the check's outcome down when it changes, so that it is seen and alerts follow."""
    outcome = _outcome(loaded)
    last = last_evaluation(instance, COMPLETE)
    if (_ALL.message if last is None else last.description) != outcome.message:
        instance.report_runless_asset_event(check_evaluation(COMPLETE, outcome))


_ALL = Outcome(verdict=Verdict.PASSED, message="Settings, configuration and lake could be read.")


def _outcome(loaded: Known) -> Outcome:
    now = read_known(os.environ)
    if now.wrong:
        return Outcome(verdict=Verdict.FAILED, message=" ".join(now.wrong))
    if loaded.wrong:
        was = " ".join(loaded.wrong)
        return Outcome(
            verdict=Verdict.FAILED, message=f"Reload definitions: what they need can be read again. It was: {was}"
        )
    return _ALL
