"""The peers of ``history`` find what heap_assets finds, on an export whose merges have no chains.

Heap's SQL follows one hop, so merges of users that merge again are taken out first. Left out of the comparison are
labeled properties, which the peers have not. Not here: speed.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import duckdb
import polars as pl
import pytest

from heap_assets_tests.benchmarks import heap_runs, sql_peers
from heap_assets_tests.benchmarks.exports import deliver, history_and_night, needed_files
from heap_assets_tests.benchmarks.fresh_process import run_fresh

MODELS = (*sql_peers.MODELS, "funnel_steps", "attribution_by_channel", "retention", "paths")
MEASURES = {"weight", "conversions", "rate"}  # sums of doubles in another order


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    made = history_and_night(tmp_path_factory.mktemp("exports"), events=6_000, days=12, share=0.05)
    files = [file for export in made for file in export.root.glob("sync_*/user_migrations/*.avro")]
    merges = pl.concat(pl.read_avro(file) for file in files)
    for file in files:
        own = pl.read_avro(file)
        merged_again = pl.col("to_user_id").is_in(merges["from_user_id"].implode())
        own.filter(~merged_again).write_avro(file)
    return made


@pytest.fixture
def dbt():
    if find_spec("dbt") is None:
        missing = "no dbt: uv sync --group benchmarks"
        if os.environ.get("HEAP_TEST_DBT") == "required":
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="module")
def ours(exports, tmp_path_factory):
    home = tmp_path_factory.mktemp("ours")
    for export in exports:
        (home / "export").mkdir(exist_ok=True)
        deliver(export, home / "export")
        heap_runs.land_resolve_analyze_publish(str(home / "export"), str(home / "home"))
    return home / "home" / "heap.duckdb"


@pytest.mark.parametrize("migrated_as", ["view", "table"])
def test_heaps_sql_finds_what_we_find(exports, ours, tmp_path, migrated_as):
    files = [*needed_files(exports[0]), *needed_files(exports[1])]
    sql_peers.plain_sql(files, str(tmp_path), migrated_as)
    equal(ours, tmp_path / "peer.duckdb")


@pytest.mark.slow
def test_the_dbt_project_finds_it_from_night_to_night(exports, ours, tmp_path, dbt):
    for export in exports:
        run_fresh("dbt_peer:run", {"files": needed_files(export), "out": str(tmp_path)}, workspace=tmp_path)
    equal(ours, tmp_path / "peer.duckdb")


def equal(ours: Path, peer: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{ours}' AS ours (READ_ONLY); ATTACH '{peer}' AS peer (READ_ONLY)")
        for model in MODELS:
            found = connection.execute(f"DESCRIBE peer.heap.{model}").fetchall()
            columns = ", ".join(
                f"round({name}, 6)" if name in MEASURES or name.startswith(("median_", "conversion_from")) else name
                for name, *_ in found
            )
            missing, too_many = (
                connection.execute(
                    f"SELECT {columns} FROM {left} EXCEPT ALL SELECT {columns} FROM {right} LIMIT 3"
                ).fetchall()
                for left, right in (
                    (f"ours.heap_analytics.{model}", f"peer.heap.{model}"),
                    (f"peer.heap.{model}", f"ours.heap_analytics.{model}"),
                )
            )
            assert (model, missing, too_many) == (model, [], [])
            assert connection.execute(f"SELECT count(*) FROM peer.heap.{model}").fetchone() != (0,)
