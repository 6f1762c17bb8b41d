"""Who builds a history and takes a night in: heap_assets, Heap's SQL without and with dbt; each in a folder of its own.

What was built is kept aside, and put back before each night, so that a long history is built once for many nights.
Not here: what a contestant does (heap_runs.py, sql_peers.py, dbt_peer.py), what is made of the figures.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from heap_assets_tests.benchmarks.exports import Export, deliver, needed_files
from heap_assets_tests.benchmarks.fresh_process import Measured, run_fresh
from heap_assets_tests.benchmarks.sql_peers import rows

OURS, SQL, SQL_VIEWS, DBT = "heap_assets", "Heap's SQL", "Heap's SQL, views", "dbt project"
_Run = Callable[[Path, Export, Path], Measured]


def _ours(folder: Path, export: Export, workspace: Path) -> Measured:
    (folder / "export").mkdir(exist_ok=True)
    deliver(export, folder / "export")
    arguments = {"export": str(folder / "export"), "home": str(folder / "home")}
    return run_fresh("heap_runs:land_resolve_analyze_publish", arguments, workspace=workspace)


def _sql(migrated_as: str) -> _Run:
    def run(folder: Path, export: Export, workspace: Path) -> Measured:
        arguments = {"files": needed_files(export), "out": str(folder), "migrated_as": migrated_as}
        return run_fresh("sql_peers:plain_sql", arguments, workspace=workspace)

    return run


def _dbt(folder: Path, export: Export, workspace: Path) -> Measured:
    return run_fresh("dbt_peer:run", {"files": needed_files(export), "out": str(folder)}, workspace=workspace)


_RUNS: Mapping[str, _Run] = MappingProxyType({OURS: _ours, SQL: _sql("table"), SQL_VIEWS: _sql("view"), DBT: _dbt})
_FOLDERS = MappingProxyType({OURS: "heap_assets", SQL: "sql", SQL_VIEWS: "sql-views", DBT: "dbt"})


def _copied(source: str, target: str) -> str:
    """Copy a file; one of the export, which nobody changes, is only linked."""
    if source.endswith(".avro"):
        os.link(source, target)
        return target
    return shutil.copy2(source, target)


class Contestants:
    """All contestants on one history; ``workspace`` is on the file system of the exports."""

    def __init__(self, history: Export, night: Export, *, workspace: Path, say: Callable[[str], None]) -> None:
        self.history, self.night = history, night
        self.built: dict[str, list[Measured]] = {}
        self.nights: dict[str, list[Measured]] = {}
        self._workspace, self._say = workspace, say

    def database(self, name: str) -> Path:
        """Return the DuckDB file that a contestant has made last."""
        folder = self._folder(name)
        return folder / "home" / "heap.duckdb" if name == OURS else folder / "peer.duckdb"

    def rows(self, name: str) -> dict[str, int]:
        """Return the number of rows of each model in that file."""
        return rows(self.database(name), schema="heap_analytics" if name == OURS else "heap")

    def build(self, name: str) -> None:
        """Build the history anew."""
        self._say(f"{name}, first build of {self.history.events:,} events")
        folder = self._folder(name)
        self.remove(name)
        folder.mkdir(parents=True)
        for file in needed_files(self.history):
            Path(file).read_bytes()  # so that all find it in the page cache
        self.built.setdefault(name, []).append(_RUNS[name](folder, self.history, self._workspace))

    def take_night(self, name: str) -> None:
        """Put back what was built of the history, or build it, and take the night in."""
        folder, kept = self._folder(name), self._kept(name)
        if name not in self.built:
            self.build(name)
        if not kept.exists():
            folder.rename(kept)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder, copy_function=_copied)
        self._say(f"{name}, a night of {self.night.events:,} events after {self.history.events:,}")
        self.nights.setdefault(name, []).append(_RUNS[name](folder, self.night, self._workspace))

    def remove(self, name: str) -> None:
        """Remove everything that a contestant has made."""
        for folder in (self._folder(name), self._kept(name)):
            shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, name: str) -> Path:
        return self._workspace / str(self.history.events) / _FOLDERS[name]

    def _kept(self, name: str) -> Path:
        return self._folder(name).with_suffix(".kept")
