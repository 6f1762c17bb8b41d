"""The installation that the README describes, started for real: code server, webserver, daemon, Postgres.

The commands, variables and files are those of ``.deploy``; systemd itself is left out. Here: that it comes up, runs by
itself and survives. Not here: what it then does (test_operation.py).
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from heap_assets.limits import Limits
from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets_tests.end_to_end.graphql import ask, until
from heap_assets_tests.fault_proxy import free_port
from heap_assets_tests.instances import new_database
from heap_assets_tests.working_copy import ROOT, clean_environment

pytestmark = pytest.mark.slow
DEPLOY = ROOT / ".deploy"


def command(unit: str) -> str:
    """Return a unit's command, with the environment that runs the tests in the place of the installed one."""
    text = (DEPLOY / "systemd" / f"{unit}.service").read_text(encoding="utf-8")
    (started,) = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
    assert started.startswith("/opt/heap_assets/.venv/bin/")
    return started.replace("/opt/heap_assets/.venv/bin", str(Path(sys.executable).parent))


@pytest.mark.parametrize("unit", ["heap-code", "heap-daemon", "heap-webserver"])
def test_a_unit_outlives_a_run_that_is_killed_for_memory_and_keeps_its_files_to_itself(unit):
    text = (DEPLOY / "systemd" / f"{unit}.service").read_text(encoding="utf-8")
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert said["OOMPolicy"] == "continue"
    assert (said["Restart"], said["StartLimitIntervalSec"]) == ("always", "0")
    assert said["UMask"] == "0077"
    if unit == "heap-code":  # runs are its processes
        high, most = (float(said[name].removesuffix("G")) for name in ("MemoryHigh", "MemoryMax"))
        assert Limits().memory_gib < high < most


def variables() -> dict[str, str]:
    lines = (DEPLOY / "heap_assets.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@contextmanager
def started(unit: str, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["env", "--default-signal=INT", "bash", "-c", f"exec {command(unit)}"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_services_come_up_and_after_a_kill_of_everything_a_dump_is_picked_up(tmp_path, postgres):
    database, home = new_database(postgres), tmp_path / "dagster"
    home.mkdir()
    shutil.copy(DEPLOY / "dagster.yaml", home)
    write_sample(tmp_path / "export", SampleSize(users=20, days=3))
    ports = {"HEAP_UI_PORT": str(free_port()), "HEAP_CODE_PORT": str(free_port())}
    address = f"http://127.0.0.1:{ports['HEAP_UI_PORT']}"
    own = {
        "DAGSTER_HOME": str(home),
        "HEAP_HOME": str(tmp_path / "home"),
        "HEAP_EXPORT_URI": str(tmp_path / "export"),
        "HEAP_AWS_ROLE_ARN": "",
        "HEAP_ALERT_URLS": "",
        "HEAP_UI_URL": address,
        "HEAP_POSTGRES_PORT": str(database["port"]),
        "HEAP_POSTGRES_USER": "postgres",
        "HEAP_POSTGRES_PASSWORD": "",
        "HEAP_POSTGRES_DATABASE": str(database["db_name"]),
    }
    assert set(own) <= set(variables())
    environment = clean_environment(**(variables() | own | ports))

    def runs() -> list[str]:
        found = ask(address, "{ runsOrError { ... on Runs { results { status } } } }")
        return [run["status"] for run in found["runsOrError"]["results"]]

    units = ("heap-code", "heap-webserver", "heap-daemon")
    with ExitStack() as services:
        all_of_it = [services.enter_context(started(unit, environment, tmp_path / f"{unit}.log")) for unit in units]
        until(lambda: "STARTED" in runs(), log=tmp_path)
        for process in all_of_it:  # as a power cut; a run is a process of the code server
            os.killpg(process.pid, signal.SIGKILL)

    with ExitStack() as services:
        for unit in units:
            services.enter_context(started(unit, environment, tmp_path / f"{unit}-again.log"))
        until(lambda: set(runs()) == {"SUCCESS", "FAILURE"}, log=tmp_path)
    assert (tmp_path / "home" / "heap.duckdb").exists()
