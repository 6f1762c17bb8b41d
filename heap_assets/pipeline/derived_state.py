"""What runs leave that follows from the raw tables: resolution, analysis, packs, what was verified and inspected.

All of it speaks of deliveries and row ids. Here: forgetting it, where the raw tables are mended: then row ids may come
again, for rows of which earlier state must not be taken to speak. Not here: each of the documents.
"""

from heap_assets.lake.storage import Storage
from heap_assets.pipeline.analytics_state import ANALYZED
from heap_assets.pipeline.inspection import INSPECTED
from heap_assets.pipeline.key_check import VERIFIED
from heap_assets.pipeline.packing import PACKED
from heap_assets.pipeline.resolved_state import RESOLVED


def forget_derived_state(storage: Storage) -> None:
    """Have the next steps compute everything from the raw tables."""
    RESOLVED.forget(storage)
    ANALYZED.forget(storage)
    PACKED.forget(storage)
    VERIFIED.forget(storage)
    INSPECTED.forget(storage)
