"""The weekly maintenance: what neither the lake nor a published file needs any more is removed.

Here: which deliveries and files are still needed. Not here: how they are removed (lake/maintenance.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from heap_assets.export.truth import current_deliveries
from heap_assets.lake.maintenance import RETENTION, Tidied, removed_leftovers, tidied
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.analysis import analyzed_files
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolution import read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """What was done: by table, files of resolutions and analyses that are superseded, or why nothing was."""

    tables: Mapping[str, Tidied] = field(default_factory=dict)
    resolved_files: int = 0
    analyzed_files: int = 0
    skipped: str = ""


def maintain(storage: Storage, ledger: Ledger, *, published: datetime | None, now: datetime) -> Maintenance:
    """Remove what is needed no more; ``published`` is when the published file was built (aware), None without one.

    A file that was published longer ago than files are kept may still read what nothing else needs, so then nothing is
    removed.
    """
    if published is not None and now - published > RETENTION:
        return Maintenance(
            skipped=f"The published file is of {published:%Y-%m-%d} and may still read what the lake does not need."
            " Nothing is removed; have heap_sync publish first."
        )
    current = current_deliveries(ledger.dumps.values())
    tables = {
        name: tidied(storage, name, counting={item.dump.delivery_id for item in items})
        for name, items in sorted(current.items())
    }
    state = read_state(storage)
    kept = {path for table in state.tables.values() if (path := table.overlaps)} | {state.users or ""}
    return Maintenance(
        tables=tables,
        resolved_files=removed_leftovers(storage, "resolved", kept=kept, now=now),
        analyzed_files=removed_leftovers(storage, "analytics", kept=analyzed_files(storage), now=now),
    )
