"""Persistent Dagster instances for tests of ticks: on SQLite, and on a real Postgres started once a session.

Skips Postgres where Debian's is missing, unless HEAP_TEST_POSTGRES=required. Each use of ``open`` is a new daemon: what
it knows is what the storage kept. Here: storages. Not here: what is done with them.
"""

import functools
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
import yaml

from heap_assets_tests.fault_proxy import free_port

_DEBIAN = Path("/usr/lib/postgresql")
_START_S = 60


@dataclass(frozen=True)
class Storage:
    """Where an instance keeps its history: a folder with a dagster.yaml."""

    folder: Path

    @contextmanager
    def open(self) -> Iterator[dg.DagsterInstance]:
        """Open the instance anew."""
        with dg.DagsterInstance.from_config(str(self.folder)) as instance:
            yield instance


@pytest.fixture(scope="session")
def postgres() -> Iterator[int]:
    """Start a Postgres for the session and lend its port."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"))
    if not found:
        missing = f"no Postgres below {_DEBIAN}: apt-get install postgresql"
        if os.environ.get("HEAP_TEST_POSTGRES") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    folder, port = Path(tempfile.mkdtemp(prefix="heap-postgres-")), free_port()
    run = functools.partial(subprocess.run, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=_START_S)
    as_postgres = []
    if os.geteuid() == 0:  # Postgres refuses to be root
        shutil.chown(folder, "postgres", "postgres")
        as_postgres = ["runuser", "-u", "postgres", "--"]
    control = [*as_postgres, found[-1].with_name("pg_ctl"), "-D", folder / "data", "-w"]
    try:
        run([*as_postgres, found[-1], "-D", folder / "data", "-A", "trust", "-U", "postgres"])
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run([*control, "-o", options, "-l", folder / "log", "start"])
        try:
            yield port
        finally:
            run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Lend an empty persistent instance of each kind."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    configuration: dict[str, object] = {"telemetry": {"enabled": False}}
    if request.param == "postgres":
        configuration["storage"] = {"postgres": {"postgres_db": new_database(request.getfixturevalue("postgres"))}}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(configuration))
    return Storage(folder)


def new_database(port: int) -> dict[str, object]:
    """Create a database and return how Dagster reaches it."""
    name = f"dagster_{uuid.uuid4().hex}"
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    finally:
        connection.close()
    return {
        "hostname": "127.0.0.1",
        "port": port,
        "username": "postgres",
        "password": "",
        "db_name": name,
        "scheme": "postgresql+psycopg2",
    }
