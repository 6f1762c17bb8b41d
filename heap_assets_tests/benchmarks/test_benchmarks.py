"""The benchmarks run from end to end; what they measure is not asserted."""

import json
import os
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def _run(tmp_path, *options):
    bench = tmp_path / "bench"
    bench.mkdir()
    measured = tmp_path / "figures.json"
    process = subprocess.run(
        [sys.executable, "-m", "heap_assets_tests.benchmarks", "land", *options, "--days=3", "--repeats=1"]
        + [f"--json={measured}"],
        cwd=_ROOT,
        env=os.environ | {"HEAP_BENCH_DIR": str(bench)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert list(bench.iterdir()) == []
    return process.stdout, json.loads(measured.read_text(encoding="utf-8"))


def test_landing_is_measured_beside_its_peers_on_the_same_rows(tmp_path):
    text, figures = _run(tmp_path, "--only=rates", "--events=300")
    rates = figures["rates"]
    assert set(rates["contestants"]) == {"heap_assets", "polars", "fastavro"}
    for measured in rates["contestants"].values():
        assert measured["share_of_rows"] == 1
        assert measured["peak_bytes"]["median"] > 0
        assert measured["rows_per_s"]["min"] <= measured["rows_per_s"]["median"] <= measured["rows_per_s"]["max"]
    assert [target["limit"] for target in rates["targets"]] == [1.4, 6.0]
    assert figures["machine"]["cores"] <= 2
    assert "rows/s of heap_assets over polars" in text


def test_peak_memory_is_measured_after_each_step(tmp_path):
    _, figures = _run(tmp_path, "--only=memory", "--memory-events=300")
    peaks = [figures["memory"]["steps"][step]["peak_bytes"] for step in ("land", "resolve", "publish")]
    assert peaks == sorted(peaks)
    assert figures["memory"]["peak_bytes"] >= peaks[-1]


def test_a_night_is_measured_with_and_without_dagster(tmp_path):
    _, figures = _run(tmp_path, "--only=nightly", "--events=300")
    nightly = figures["nightly"]
    assert len(nightly["ways"]) == 2
    for way in nightly["ways"].values():
        assert way["first_rows"] > way["second_rows"] > 0
        assert way["second_over_first"] > 0
    assert set(nightly["steps"]["second"]) == {"land", "resolve", "publish"}
