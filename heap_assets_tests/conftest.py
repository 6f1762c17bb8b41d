"""Fixtures of real S3, real Dagster storages and small exports; Hypothesis draws the same examples in CI every time."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["heap_assets_tests.s3_server", "heap_assets_tests.instances", "heap_assets_tests.defs.operated"]

settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if "CI" in os.environ else "here")
