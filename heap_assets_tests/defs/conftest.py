"""What every test of Dagster's definitions begins with."""

from collections.abc import Iterator

import pytest
from dagster._core.storage.defs_state.base import set_defs_state_storage


@pytest.fixture(autouse=True)
def no_instance_left_over() -> Iterator[None]:
    """Begin without an instance: Dagster 1.13 remembers one that is closed when several were open at a time."""
    with set_defs_state_storage(None):
        yield
