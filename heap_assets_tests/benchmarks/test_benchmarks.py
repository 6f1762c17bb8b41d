"""The benchmarks run from end to end; what they measure is not asserted."""

import json

import pytest
from click.testing import CliRunner

from heap_assets_tests.benchmarks import analytics, first_build
from heap_assets_tests.benchmarks.__main__ import benchmarks
from heap_assets_tests.benchmarks.contestants import OURS, SQL, SQL_VIEWS, Contestants
from heap_assets_tests.benchmarks.exports import Export
from heap_assets_tests.benchmarks.fresh_process import Measured

_ALL_CORES = "--cores=1000"  # else pytest itself is kept to a few


@pytest.fixture
def measure(tmp_path, monkeypatch):
    folder = tmp_path / "bench"
    folder.mkdir()
    monkeypatch.setenv("HEAP_BENCH_DIR", str(folder))

    def run(*command):
        file = tmp_path / "figures.json"
        options = ["--repeats=1", _ALL_CORES, f"--json={file}"]
        result = CliRunner().invoke(benchmarks, [*command, *options], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert list(folder.iterdir()) == [], "what was generated is removed"
        return result.stdout, json.loads(file.read_text(encoding="utf-8"))

    return run


@pytest.fixture
def land(measure):
    return lambda *options: measure("land", "--days=3", *options)


def test_landing_is_measured_beside_its_peers_on_the_same_rows(land):
    text, figures = land("--only=rates", "--events=300")
    rates = figures["rates"]
    assert set(rates["contestants"]) == {"heap_assets", "polars", "fastavro"}
    for measured in rates["contestants"].values():
        assert measured["share_of_rows"] == 1
        assert measured["peak_bytes"]["median"] > 0
        assert measured["rows_per_s"]["min"] <= measured["rows_per_s"]["median"] <= measured["rows_per_s"]["max"]
    assert [target["limit"] for target in rates["targets"]] == [1.4, 6.0]
    assert {"cores", "memory_bytes", "python", "packages"} <= set(figures["machine"])
    assert {"polars", "duckdb", "deltalake", "fastavro"} <= set(figures["machine"]["packages"])
    assert "rows/s of heap_assets over polars" in text


def test_peak_memory_is_measured_after_each_step_and_a_kept_export_is_used_again(land, tmp_path):
    kept = tmp_path / "kept"
    for _ in range(2):
        _, figures = land("--only=memory", "--memory-events=300", f"--keep={kept}")
        peaks = [figures["memory"]["steps"][step]["peak_bytes"] for step in ("land", "resolve", "publish")]
        assert peaks == sorted(peaks)
        assert figures["memory"]["peak_bytes"] >= peaks[-1]
        (export,) = kept.iterdir()
        (export / "manifests" / "seen").mkdir(exist_ok=True)
    assert (export / "manifests" / "seen").exists()


@pytest.mark.slow
def test_a_night_is_measured_with_and_without_dagster(land):
    _, figures = land("--only=nightly", "--events=300")
    nightly = figures["nightly"]
    assert len(nightly["ways"]) == 2
    for way in nightly["ways"].values():
        assert way["first_rows"] > way["second_rows"] > 0
        assert way["second_over_first"] > 0
    assert set(nightly["steps"]["second"]) == {"land", "resolve", "publish"}


@pytest.mark.parametrize("fastest", [SQL, SQL_VIEWS])
def test_a_first_build_is_measured_against_the_faster_peer(tmp_path, fastest):
    export = Export(root=tmp_path, dumps=2, events=9, size_bytes=9)
    contestants = Contestants(export, export, workspace=tmp_path, say=print)
    for name in (OURS, SQL, SQL_VIEWS):
        seconds = {OURS: 2.0, fastest: 5.0}.get(name, 8.0)
        run = Measured(seconds=seconds, cpu_seconds=1.0, others_cores=0.0, peak_bytes=1, values={})
        contestants.built[name] = [run]
    target, _ = first_build._figure(contestants, {name: {} for name in contestants.built}).targets
    assert (target.what, target.value) == (f"speed of the first build over {fastest}", 2.5)


def test_sessions_and_a_funnel_are_measured_beside_sql_that_finds_the_same(measure):
    text, figures = measure("analytics", "--rows=20000")
    assert set(figures["sessions"]["contestants"]) == {"heap_assets", "DuckDB windows"}
    assert figures["sessions"]["rows"] == figures["pageviews"]
    assert 500 < figures["sessions"]["sessions"] < figures["pageviews"]
    first, second, third = figures["funnel"]["users"]
    assert first > second > third > 0
    assert [figures[name]["targets"][0]["limit"] for name in ("sessions", "funnel")] == [1.5, 1.0]
    assert "speed of heap_assets over" in text


def test_contestants_that_find_different_things_are_no_figure():
    with pytest.raises(RuntimeError, match="different things"):
        analytics._check_equal({"heap_assets": [3, 2], "peer": [3, 1]})
