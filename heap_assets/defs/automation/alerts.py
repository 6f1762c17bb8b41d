"""The alert sensor: looks at checks, freshness and failed runs, and tells people what has changed.

What was told and what some destination has not taken stands in the cursor, so a restart tells again rather than never.
Here: looking, in Dagster's words. Not here: what deserves a message, its text, sending (alerts/).
"""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg
from pydantic import TypeAdapter

from heap_assets import errors
from heap_assets.alerts.delivery import delivered, destinations
from heap_assets.alerts.message import FailedRun, change_message, run_message
from heap_assets.alerts.outbox import Waiting, posted
from heap_assets.alerts.transitions import Level, Told, Watched, changes
from heap_assets.defs.automation.dead_runs import DIED, end_dead_runs
from heap_assets.defs.checks.freshness import CHECK
from heap_assets.defs.internals import (
    assets_with_policy,
    checks_of_repository,
    freshness_states,
    is_retried,
    known_as,
    last_evaluations,
    step_failures,
)
from heap_assets.errors import HeapAssetsError
from heap_assets.settings import read_alert_settings, read_settings

_SENSOR_S = 15
_MOST_RUNS = 100
_FRESHNESS: Mapping[str, Level] = {"PASS": "passed", "WARN": "warning", "FAIL": "failed"}
_OVERLAP_S = 600  # a run may be recorded as failed a little later than its time says


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What the cursor keeps; ``runs_after`` (epoch seconds) is since when failed runs are told."""

    told: Mapping[str, Told] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    runs_after: float = 0.0
    runs_told: tuple[str, ...] = ()


_STATE = TypeAdapter(AlertState)


@dg.sensor(
    name="heap_alerts",
    minimum_interval_seconds=_SENSOR_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Sends a message to HEAP_ALERT_URLS when a check or freshness turns, for worse or for better, and when a run"
        " fails that Dagster will not repeat. Prevents: a red check that nobody looks at. What is still so is not told"
        " again; what a destination does not take is tried until it does."
    ),
)
def alert_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Tell what has changed since the last look."""
    settings, now = read_alert_settings(os.environ), time.time()
    if not settings.urls:
        return dg.SkipReason("HEAP_ALERT_URLS is not set: nobody is told of failures.")
    with suppress(HeapAssetsError):  # other settings or the lake may be what is wrong, and that has to be told
        end_dead_runs(context.instance, read_settings(os.environ), now=datetime.now(UTC))
    services = destinations(settings.urls)
    before = _STATE.validate_json(context.cursor) if context.cursor else AlertState(runs_after=now)
    found, told = changes(before.told, tuple(_watched(context)), now=now)
    runs = _failed_runs(context.instance, before)
    messages = [change_message(found, settings.ui_url)] if found else []
    messages += [run_message(list(runs.values()), settings.ui_url)] if runs else []
    waiting = posted(before.waiting, messages, services, deliver=delivered, now=now)
    after = AlertState(
        told=told,
        waiting=waiting,
        runs_after=max(before.runs_after, now - _OVERLAP_S),
        runs_told=(*before.runs_told, *runs)[-_MOST_RUNS:],
    )
    for one in waiting:
        context.log.warning("%s has not taken %r, attempt %d", one.destination, one.message.title, one.attempts)
    return dg.SensorResult(
        cursor=_STATE.dump_json(after).decode(),
        skip_reason=dg.SkipReason(
            f"{len(found)} changes and {len(runs)} failed runs told; {len(waiting)} messages wait to be taken."
        ),
    )


def _watched(context: dg.SensorEvaluationContext) -> Iterator[Watched]:
    """Yield every check that has a verdict, and the freshness of assets whose check does not tell it already."""
    repository = context.repository_def
    if repository is None:
        return
    keys = checks_of_repository(repository)
    for key, evaluation in last_evaluations(context.instance, keys).items():
        yield _watched_check(key, evaluation)
    told = {key.asset_key for key in keys if key.name == CHECK}
    fresh = [key for key in assets_with_policy(repository) if key not in told]
    for asset, state in freshness_states(context.instance, fresh).items():
        level = _FRESHNESS.get(state)
        if level is not None:
            yield Watched(
                name=f"{asset.to_user_string()} is materialized in time",
                level=level,
                told="The pipeline does not run, or fails." if level != "passed" else "",
                path=f"/assets/{asset.to_user_string()}",
            )


def _watched_check(key: dg.AssetCheckKey, evaluation: dg.AssetCheckEvaluation) -> Watched:
    failed: Level = "failed" if evaluation.severity is dg.AssetCheckSeverity.ERROR else "warning"
    keys = evaluation.metadata.get("failing_keys")
    return Watched(
        name=f"{key.asset_key.to_user_string()} {key.name}",
        level="passed" if evaluation.passed else failed,
        told=evaluation.description or "",
        keys=tuple(str(keys.value).replace("- `", "").replace("`", "").splitlines()) if keys else (),
        path=f"/assets/{key.asset_key.to_user_string()}?view=checks&checkDetail={key.name}",
    )


def _failed_runs(instance: dg.DagsterInstance, before: AlertState) -> dict[str, FailedRun]:
    """Return failed runs that Dagster will not repeat and that were not told, by id."""
    since = datetime.fromtimestamp(before.runs_after, UTC)
    records = instance.get_run_records(
        dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since), limit=_MOST_RUNS
    )
    failed = {}
    for record in reversed(records):
        run = record.dagster_run
        if run.run_id in before.runs_told or is_retried(instance, run):
            continue
        events = step_failures(instance, run.run_id)
        told = list(_told(events))
        if told or not events:
            died = "Its process died; the next run goes on from there."
            text = " ".join(told) or (died if DIED in run.tags else "It ended before a step failed.")
            failed[run.run_id] = FailedRun(run_id=run.run_id, job=known_as(run), told=text)
    return failed


def _told(failures: Iterable[dg.DagsterEvent | None]) -> Iterator[str]:
    """Yield what stopped each step, in full only where the words are ours: another error may name anything.

    A check that stopped a step is told as a check.
    """
    for failure in failures:
        error = failure.step_failure_data.error if failure else None
        cause = error.cause or error if error else None
        name = (cause.cls_name or "an error") if cause else "an error"
        if name == "DagsterAssetCheckFailedError":
            continue
        step = failure.step_key if failure else ""
        ours = cause.message.partition(": ")[2].strip() if cause and hasattr(errors, name) else name
        yield f"{step}: {ours}"
