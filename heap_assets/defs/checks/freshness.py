"""Freshness: one external asset per delivered table, whose last event is the time of the table's newest data.

So Dagster's own FreshnessPolicy follows data and not runs, and a check shows the lag and colours the lineage; both
without a run. Here: specs, reporting, the check, its sensor and schedule. Not here: verdicts (quality/freshness.py).
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from heap_assets.config.model import Freshness
from heap_assets.defs.checks.outcomes import check_evaluation, check_result
from heap_assets.defs.internals import report_materialization
from heap_assets.defs.keys import SYNCED, table_key
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.registry import KnownTable
from heap_assets.pipeline.sync import Sync
from heap_assets.quality.freshness import data_time_to_report, freshness
from heap_assets.quality.outcome import Outcome, Verdict
from heap_assets.settings import read_settings

FRESHNESS_JOB = "heap_freshness"
CHECK = "synced_to_time_freshness"
_SENSOR_S = 30


def synced_specs(tables: Iterable[KnownTable], limits: Freshness) -> list[dg.AssetSpec]:
    """Return the external asset of each delivered table; a retired one has no policy."""
    return [
        dg.AssetSpec(
            table_key(SYNCED, table.name),
            description=table.archived
            or (
                "What Heap delivers of this table. *Last materialized* is its `synced_to_time`, the time of its newest"
                " data: the freshness policy follows the data, not our runs."
            ),
            group_name=SYNCED,
            kinds={"s3", "avro"},
            tags={"heap/retired": ""} if table.archived else {},
            freshness_policy=None
            if table.archived
            else dg.FreshnessPolicy.time_window(
                fail_window=limits.limits_of(table.name).fail, warn_window=limits.limits_of(table.name).warn
            ),
        )
        for table in tables
    ]


def pipeline_policy(limits: Freshness) -> dg.FreshnessPolicy:
    """Return the policy of what every run makes again: it tells whether the pipeline runs, not how old the data is."""
    return dg.FreshnessPolicy.time_window(fail_window=limits.default.fail, warn_window=limits.default.warn)


def data_times(sync: Sync) -> Mapping[str, datetime | None]:
    """Return ``synced_to_time`` (aware) of each known table, as it was published last."""
    publication = sync.last_publication()
    if publication is None:
        return {}
    found = {row.name: row.synced_to_time and row.synced_to_time.replace(tzinfo=UTC) for row in publication.synced}
    published = {table.name: table.published or table.name for table in sync.registry().tables}
    return {name: found[there] for name, there in published.items() if there in found}


def report_data_times(
    instance: dg.DagsterInstance,
    times: Mapping[str, datetime | None],
    *,
    now: datetime,
    reported: Mapping[str, datetime | None] | None = None,
) -> dict[str, datetime | None]:
    """Report each table's newest data as an event at that time; return up to which time Dagster knows each table.

    ``reported`` are times that it is known to know, None where it knows none; for other tables it is asked.
    """
    known = dict(reported or {})
    for table, time in times.items():
        if table in known and data_time_to_report(time, reported=known[table], now=now) is None:
            continue
        key = table_key(SYNCED, table)
        last = instance.get_latest_materialization_event(key)
        message = None if last is None else datetime.fromtimestamp(last.timestamp, UTC)
        new = data_time_to_report(time, reported=message, now=now)
        if new is not None:
            metadata = {"synced_to_time": dg.MetadataValue.timestamp(new)}
            report_materialization(instance, dg.AssetMaterialization(key, metadata=metadata), at=new)
        known[table] = new or message
    return known


def _check(table: KnownTable) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(table_key(SYNCED, table.name), CHECK)


def _outcome(table: KnownTable, times: Mapping[str, datetime | None], known: datetime | None, sync: Sync) -> Outcome:
    """Return how fresh a table is by the newest data that Dagster knows, which is never from the future."""
    if table.archived:
        return Outcome(verdict=Verdict.PASSED, message=table.archived)
    if table.name not in times:
        return Outcome(verdict=Verdict.PASSED, message="Nothing of this table has been delivered so far.")
    limits = sync.configuration.freshness.limits_of(table.name)
    return freshness(known, now=datetime.now(UTC), warn=limits.warn, fail=limits.fail)


def freshness_definitions(tables: Sequence[KnownTable]) -> dg.Definitions:
    """Return the check of every table, the job and schedule that plot its lag, and the sensor that needs no run."""

    @dg.multi_asset_check(
        name="freshness",
        specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=table_key(SYNCED, table.name),
                description=(
                    "How old the newest data of the table is, against the configuration's `freshness`. If it fails, see"
                    " whether Heap delivers (`_sync_history`) and whether the last run of heap_sync succeeded."
                ),
            )
            for table in tables
        ],
        can_subset=True,
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        sync = Sync(read_settings(os.environ), Silence())
        times = data_times(sync)
        known = report_data_times(context.instance, times, now=datetime.now(UTC))
        for table in tables:
            if _check(table) in context.selected_asset_check_keys:
                yield check_result(_check(table), _outcome(table, times, known.get(table.name), sync))

    job = dg.define_asset_job(
        FRESHNESS_JOB,
        selection=dg.AssetSelection.checks(checks),
        description="Measures how old the newest data of every table is. Lands and publishes nothing.",
    )
    schedule = dg.ScheduleDefinition(
        name="heap_freshness_hourly",
        job=job,
        cron_schedule="7 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=(
            "Plots the lag of every table each hour, whether syncs run or not. Prevents: a bucket in which nothing"
            " arrives any more, and nobody notices, because no run fails."
        ),
    )

    @dg.sensor(
        name="heap_freshness",
        minimum_interval_seconds=_SENSOR_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Tells Dagster up to which time each table reaches, and turns its check the moment a limit is passed,"
            " without a run. Prevents: stale tables that look fresh because some run was green."
        ),
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        sync = Sync(read_settings(os.environ), Silence())
        before = json.loads(context.cursor) if context.cursor else {"reported": {}, "verdicts": {}}
        times = data_times(sync)
        known = report_data_times(
            context.instance,
            times,
            now=datetime.now(UTC),
            reported={
                table: None if time is None else datetime.fromtimestamp(time, UTC)
                for table, time in before["reported"].items()
            },
        )
        events, verdicts = [], {}
        for table in tables:
            if table.name in times:
                outcome = _outcome(table, times, known.get(table.name), sync)
                verdicts[table.name] = outcome.verdict
                if before["verdicts"].get(table.name) != outcome.verdict:
                    events.append(check_evaluation(_check(table), outcome))
        after = {"reported": {name: time and time.timestamp() for name, time in known.items()}, "verdicts": verdicts}
        return dg.SensorResult(
            asset_events=events,
            cursor=json.dumps(after),
            skip_reason=None if events else f"{len(verdicts)} tables are as fresh as before",
        )

    return dg.Definitions(asset_checks=[checks], jobs=[job], schedules=[schedule], sensors=[sensor])
