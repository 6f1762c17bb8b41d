"""What runs leave that follows from the raw tables: resolution, analysis, packs, what was verified and inspected.

All of it speaks of deliveries and row ids. Here: forgetting it, where the raw tables are mended: then row ids may come
again, for rows of which earlier state must not be taken to speak. Not here: each of the documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analytics_state import ANALYZED
from heap_assets.pipeline.inspect.inspection import INSPECTED
from heap_assets.pipeline.inspect.key_check import VERIFIED
from heap_assets.pipeline.resolve.compaction import PACKED
from heap_assets.pipeline.resolve.resolved_state import RESOLVED, ResolvedState


@dataclass(frozen=True, slots=True)
class DerivedState:
    """The derived state of a lake, as landing sees it."""

    storage: Storage

    def deliveries(self) -> Mapping[str, frozenset[str]]:
        """Return the deliveries of each table that it was resolved from."""
        resolved = RESOLVED.known(self.storage) or ResolvedState()
        return {
            name: frozenset(cover.rpartition("@")[0] for cover in state.covers)
            for name, state in resolved.tables.items()
        }

    def forget(self) -> None:
        """Have the next steps compute everything from the raw tables."""
        for memory in (RESOLVED, ANALYZED, PACKED, VERIFIED, INSPECTED):
            memory.forget(self.storage)
