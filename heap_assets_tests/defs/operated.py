"""A small export that ticks can work on, and ticks: sensors evaluated as the daemon would, with the cursor it kept.

Here: what the tests of sensors share. Not here: expectations.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from heap_assets.defs.definitions import heap_definitions
from heap_assets.pipeline.progress import Silence
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump

_UNSET = (
    "HEAP_LAKE_URI",
    "HEAP_DUCKDB_PATH",
    "HEAP_CONFIG",
    "HEAP_FACTS_AS",
    "HEAP_ALERT_URLS",
    "HEAP_UI_URL",
)


def events(*rows: tuple, name: str = "0.avro") -> object:
    """Return a data file of events."""
    return data_file("event_id:long user_id:long session_id:long time", *rows, name=name)


def hours_ago(hours: float) -> str:
    """Return a time before now, as Heap writes it."""
    return f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


@dataclass
class Place:
    """An export below ``folder``, and the cursors of its sensors."""

    folder: Path
    cursors: dict[str, str]

    def deliver(self, dump_id: int, tables: dict[str, object], **more: object) -> None:
        """Write a dump, its manifest modified now."""
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        write_dump(self.folder / "export", dump(dump_id, tables, **{"modified": now, **more}))

    def sync(
        self,
        instance: dg.DagsterInstance,
        tags: dict[str, str] | None = None,
        request: dg.RunRequest | None = None,
    ) -> bool:
        """Run the job in this process, as the daemon would launch it; what it does is put down in the instance."""
        job = heap_definitions(progress=Silence()).resolve_job_def("heap_sync")
        if request is not None:
            checks = set(request.asset_check_keys or ())
            job = job.get_subset(asset_selection=set(request.asset_selection or ()), asset_check_selection=checks)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        return job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet, tags=tags).success

    def tick(self, sensor: str, instance: dg.DagsterInstance) -> object:
        """Evaluate a sensor once, and do what the daemon would: put down events, keep the cursor."""
        definitions = heap_definitions()
        context = dg.build_sensor_context(
            instance=instance, cursor=self.cursors.get(sensor), definitions=definitions, sensor_name=sensor
        )
        with context:
            told = definitions.resolve_sensor_def(sensor).evaluate_tick(context)
        for event in told.asset_events:
            instance.report_runless_asset_event(event)
        if told.cursor is not None:
            self.cursors[sensor] = told.cursor
        return told


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Lend an empty export, and an environment that points to it and to nothing else."""
    for name, folder in {"HEAP_EXPORT_URI": "export", "HEAP_HOME": "home"}.items():
        (tmp_path / folder).mkdir()
        monkeypatch.setenv(name, str(tmp_path / folder))
    for name in _UNSET:
        monkeypatch.delenv(name, raising=False)
    return Place(tmp_path, {})
