"""Fixtures of real S3, real Dagster storages and small exports; Hypothesis draws the same examples in CI every time."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["heap_assets_tests.s3_server", "heap_assets_tests.instances", "heap_assets_tests.defs.operated"]

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if "CI" in os.environ else "here")

collect_ignore = ["benchmarks/dbt_peer.py"]  # holds no test, and each worker would import dbt, 3 s

LONGEST = ("test_readme.py", "end_to_end/test_operation.py", "end_to_end/", "benchmarks/", "pipeline/", "defs/")
"""Files that take minutes, the longest first: begun last, one of them would run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""

    def place(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((number for number, part in enumerate(LONGEST) if part in path), len(LONGEST))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what was imported: it took a tenth of the time of all tests."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
