"""Other releases of DuckDB, each in an environment of its own: what today's BI tools have in their drivers.

Installed once into ``.duckdb-releases`` by uv; where that fails tests skip, unless HEAP_TEST_CLIENTS=required.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock

from heap_assets_tests.working_copy import ROOT

_INSTALLED = ROOT / ".duckdb-releases"
_VERSIONS = {"1.1": "1.1.3", "1.4": "1.4.4"}


@dataclass(frozen=True)
class Release:
    """A Python with this release of DuckDB."""

    python: str

    def ask(self, path: Path, query: str) -> str:
        """Return the only row of a query, as Python writes it, from a new process that opens the file read-only."""
        code = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True)"
        return self.run(f"{code}; print(c.execute(sys.argv[2]).fetchone())", str(path), query)

    def run(self, code: str, *arguments: str) -> str:
        """Return what Python prints; a failure shows its trace."""
        done = subprocess.run(
            [self.python, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@cache
def releases(series: str) -> Release:
    """Return the newest known release of a series, 2 being the one that runs the tests."""
    if series == "2":
        return Release(sys.executable)
    python = _INSTALLED / _VERSIONS[series] / "bin" / "python"
    _INSTALLED.mkdir(exist_ok=True)
    with FileLock(_INSTALLED / "lock"):
        if not python.exists():
            _install(python.parent.parent, _VERSIONS[series])
    return Release(str(python))


def _install(folder: Path, version: str) -> None:
    uv = shutil.which("uv") or "uv"
    made = ["venv", folder, "--python", sys.executable]
    for command in (made, ["pip", "install", "--python", folder, f"duckdb=={version}"]):
        done = subprocess.run([uv, *command, "--quiet"], capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            (pytest.fail if os.environ.get("HEAP_TEST_CLIENTS") == "required" else pytest.skip)(done.stderr)
