"""The entry for Dagster: ``dagster dev``, ``dg dev``, ``dagster job execute -m heap_assets.definitions``."""

import dagster as dg

from heap_assets.defs.definitions import heap_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """Return the code location's definitions."""
    return heap_definitions()
