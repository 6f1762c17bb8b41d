"""A lake that an earlier version of the code left is upgraded by the first sync, and equals one that is made afresh.

The earlier code is taken from the repository's history and runs in a process of its own, on the libraries of now.
Here: whole tables of drawn exports and of a sample. Not here: documents of other versions by themselves.
"""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets_tests.exports.delivery import deliveries
from heap_assets_tests.exports.strategies import exports
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.published import configured, published_by, run, scratch, some, sync_of
from heap_assets_tests.working_copy import ROOT, clean_environment

EARLIER = ("405079e", "dd8aa3b")
KNOWN_THEN = {"attribution": {"lookback": "400d", "half_life": "1d"}}
SYNC_OF_EARLIER_CODE = """
import os, heap_assets
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings

assert heap_assets.__file__.startswith(os.environ["PYTHONPATH"]), heap_assets.__file__
sync = Sync(read_settings(os.environ), Silence())
sync.land(), sync.resolve(), sync.analyze(), sync.publish()
"""


@pytest.fixture(scope="session", params=EARLIER)
def earlier_code(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend a folder with the package as it was."""
    folder = tmp_path_factory.mktemp("earlier")
    archive = subprocess.run(
        ["git", "archive", request.param, "heap_assets"], cwd=ROOT, capture_output=True, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
        packed.extractall(folder, filter="data")
    return folder


def run_earlier(code: Path, export: Path, home: Path) -> None:
    variables = {"HEAP_EXPORT_URI": str(export), "HEAP_HOME": str(home), "HEAP_CONFIG": str(home / "heap.yaml")}
    subprocess.run(
        [sys.executable, "-c", SYNC_OF_EARLIER_CODE],
        env=clean_environment(PYTHONPATH=str(code), **variables),
        cwd=home,
        timeout=120,
        check=True,
    )


@some(2, HealthCheck.function_scoped_fixture)
@given(exports(), st.integers(1, 6))
def test_a_lake_of_earlier_code_is_gone_on_with_and_equals_a_fresh_one(earlier_code, export, cut):
    with scratch() as folder:
        root, home = folder / "export", folder / "home"
        root.mkdir()
        home.mkdir()
        configured(home, **KNOWN_THEN)
        steps = deliveries(export)
        for step in steps[: 2 * cut]:
            step.apply(root)
        run_earlier(earlier_code, root, home)
        for step in steps[2 * cut :]:
            step.apply(root)
        configuration = {"HEAP_CONFIG": str(home / "heap.yaml")}
        assert run(sync_of(root, home, **configuration)).failures == ()
        fresh = sync_of(root, folder / "fresh", **configuration)
        run(fresh)
        assert differences(published_by(fresh), published_by(sync_of(root, home, **configuration))) == []


def test_a_lake_of_earlier_code_is_upgraded_where_nothing_new_has_come(earlier_code, tmp_path):
    root, home = tmp_path / "export", tmp_path / "home"
    write_sample(root, SampleSize(users=60, days=4))
    home.mkdir()
    configured(home, **KNOWN_THEN)
    run_earlier(earlier_code, root, home)
    configuration = {"HEAP_CONFIG": str(home / "heap.yaml")}
    sync = sync_of(root, home, **configuration)
    notes = []
    sync._progress.note = notes.append
    assert run(sync).taken == ()
    assert "was left by an earlier version: everything that follows from the raw tables is computed again" in notes[0]
    left = {path.name for path in (home / "lake").glob("*.json")}
    assert left == {"ledger.json", "ledger.previous.json", "lock.json", "state.json"}
    fresh = sync_of(root, tmp_path / "fresh", **configuration)
    run(fresh)
    assert differences(published_by(fresh), published_by(sync)) == []
    assert {path.name for path in home.iterdir() if path.suffix == ".duckdb"} == {"heap.duckdb"}
