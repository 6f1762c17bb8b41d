"""What runs leave that follows from the raw tables: resolution, models, compacted files, what was verified, inspected.

All of it speaks of deliveries and row ids. Here: forgetting it, where an earlier version left it, and where the raw
tables are mended: then row ids may come again, for rows of which earlier state must not be taken to speak. Not here:
each of the parts (lake/state.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from heap_assets.lake.state import STATE, forget, is_lost
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analytics_state import ANALYZED
from heap_assets.pipeline.inspect.inspection import INSPECTED
from heap_assets.pipeline.inspect.key_check import VERIFIED
from heap_assets.pipeline.resolve.compaction import COMPACTED
from heap_assets.pipeline.resolve.resolved_state import RESOLVED, ResolvedState

_DERIVED = (RESOLVED, ANALYZED, COMPACTED, VERIFIED, INSPECTED)
_EARLIER = tuple(
    f"{name}.json"
    for name in (
        *("analytics", "inspected", "keys", "landing", "leftovers", "other", "packs", "published", "tables"),
        "resolved",  # the last to go: while it is there, some of them may be
    )
)
"""The documents of a lake before it had one for all."""


@dataclass(frozen=True, slots=True)
class DerivedState:
    """The derived state of a lake, as landing sees it."""

    storage: Storage

    def deliveries(self) -> Mapping[str, frozenset[str]]:
        """Return the deliveries of each table that it was resolved from."""
        resolved = RESOLVED.known(self.storage) or ResolvedState()
        return {
            name: frozenset(delivery_name.rpartition("@")[0] for delivery_name in state.deliveries)
            for name, state in resolved.tables.items()
        }

    def forget(self) -> None:
        """Have the next steps compute everything from the raw tables."""
        forget(self.storage, _DERIVED)

    def begin_again(self) -> str | None:
        """Leave state that cannot be read or that an earlier version left; return why everything is computed again."""
        if is_lost(self.storage):
            reason = f"{self.storage.address(STATE)} is damaged, or of another version"
            forget(self.storage, _DERIVED)
        elif self.storage.read(_EARLIER[-1]) is not None:
            reason = f"{self.storage.uri} was left by an earlier version"
            for name in _EARLIER:
                self.storage.remove(name)
        else:
            return None
        return f"{reason}: everything that follows from the raw tables is computed again"
