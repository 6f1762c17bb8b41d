"""The project as a user has it: a copy of the checkout in a clean folder, and shell commands run there.

Commands use the environment that runs the tests, so nothing is installed, and see nothing of the caller's HEAP_*,
AWS_* and Dagster variables. ``dagster dev`` is started as from a terminal and stopped as by Ctrl+C.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from heap_assets_tests.fault_proxy import free_port

ROOT = Path(__file__).parents[1]
_LEFT_OUT = shutil.ignore_patterns("__pycache__", ".*", "dist")
_NOT_PASSED_ON = ("HEAP_", "AWS_", "DAGSTER_", "PYTEST_", "COV_", "VIRTUAL_ENV")
_START_S, _STOP_S, _COMMAND_S = 300, 60, 900


def working_copy(folder: Path) -> Path:
    """Copy the project into a new folder, without anything that a run or a tool left behind."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    shutil.copy(ROOT / ".python-version", folder)
    return folder


def clean_environment(**variables: str) -> dict[str, str]:
    """Return an environment for commands: the caller's without its settings, with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    return {**kept, "UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1", **variables}


def run_command(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a command in a shell and return what it printed; a failure shows all of it."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=_COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}"
    return done.stdout


@contextmanager
def dagster_dev(command: str, folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Start a command that serves Dagster's UI on a free port; lend its address once it answers, then stop it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = folder / "dagster-dev.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            # A test run in the background ignores SIGINT, and its children would, too.
            ["env", "--default-signal=INT", "bash", "-c", f"exec {command}"],
            cwd=folder,
            env={**environment, "DAGSTER_CLI_DEV_PORT": str(port), "HEAP_UI_URL": address},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(address, process, log)
        yield address
    finally:
        _stop(process)


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        assert process.poll() is None, f"dagster dev ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"dagster dev does not answer:\n{log.read_text()}"
        try:
            with urllib.request.urlopen(f"{address}/server_info", timeout=5):  # noqa: S310  our own address
                return
        except OSError:
            time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the whole group, as Ctrl+C does; then kill what is left: code servers outlive their master by a minute."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(_STOP_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
