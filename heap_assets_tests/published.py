"""What a sync publishes, read back: builders of syncs on small exports, and the tables of a DuckDB file as plain rows.

Here: running and reading. Not here: what should be in the tables (oracles/), how exports are written (exports/).
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from hypothesis import HealthCheck, Phase, settings

from heap_assets.limits import Limits
from heap_assets.pipeline.landing.landing import Landing
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets_tests.configurations import EVERYTHING
from heap_assets_tests.oracles.tables import Table, Tables

S, M, A = "main_production", "main_production_migrated", "heap_analytics"
_INTERNAL = "_heap_assets"
_LIMITS = [Limits()]


def sync_of(export_root: Path | str, home: Path, **environment: str) -> Sync:
    """Return a sync of an export into ``home``; without HEAP_CONFIG its configuration is the one for drawn exports."""
    home.mkdir(parents=True, exist_ok=True)
    if "HEAP_CONFIG" not in environment:
        environment["HEAP_CONFIG"] = str(configured(home))
    variables = {"HEAP_EXPORT_URI": str(export_root), "HEAP_HOME": str(home), **environment}
    return Sync(replace(read_settings(variables), limits=_LIMITS[-1]), Silence())


@contextmanager
def limited(**changed: object) -> Iterator[None]:
    """Have each sync that ``sync_of`` returns meanwhile work within other limits."""
    _LIMITS.append(replace(_LIMITS[-1], **changed))
    try:
        yield
    finally:
        _LIMITS.pop()


def configured(home: Path, **keys: object) -> Path:
    """Write the configuration for drawn exports, with these keys in place of its own, and return its path."""
    path = home / "heap.yaml"
    path.write_text(json.dumps({"project": "main", **EVERYTHING, **keys}))
    return path


def run(sync: Sync, *, rebuild: bool = False) -> Landing:
    """Run a sync as the command line does, and return what was landed."""
    landing = sync.land()
    sync.resolve(rebuild=rebuild)
    sync.analyze()
    sync.publish()
    return landing


def published_by(sync: Sync) -> Tables:
    """Return the tables of S, S_migrated and heap_analytics that a sync has published."""
    return {name: table for name, table in tables_in(sync.settings.duckdb_path).items() if name[0] in {S, M, A}}


def tables_in(duckdb_path: Path) -> dict[tuple[str, str], Table]:
    """Return every table and view of a published file, the internal schema left out."""
    with duckdb.connect(duckdb_path, read_only=True) as connection:
        return tables_of(connection)


def tables_of(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], Table]:
    """Return every table and view that a connection sees, the internal schema left out."""
    names = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema <> ?", [_INTERNAL]
    ).fetchall()
    return {name: _table(connection, f"{quoted(name[0])}.{quoted(name[1])}") for name in names}


def quoted(name: str) -> str:
    """Return a name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _table(connection: duckdb.DuckDBPyConnection, name: str) -> Table:
    found = connection.execute(f"SELECT * FROM {name}")
    return Table({column: str(kind) for column, kind, *_ in found.description}, found.fetchall())


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a folder for one drawn example."""
    with TemporaryDirectory(prefix="heap-test-") as folder:
        yield Path(folder)


def some(examples: int, *suppressed: HealthCheck) -> settings:
    """Return Hypothesis settings for so many examples, or for HEAP_TEST_EXAMPLES if that is more."""
    return settings(
        max_examples=max(examples, int(os.environ.get("HEAP_TEST_EXAMPLES", "0"))),
        deadline=None,
        phases=set(Phase) - {Phase.explain},
        derandomize="CI" in os.environ,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, *suppressed],
    )


def edit_state(home: Path, part: str, change: Callable[[Any], Any]) -> None:
    """Replace a part of the state that a lake's runs left."""
    file = home / "lake" / "state.json"
    document = json.loads(file.read_text())
    document["parts"][part] = change(document["parts"][part])
    file.write_text(json.dumps(document))
