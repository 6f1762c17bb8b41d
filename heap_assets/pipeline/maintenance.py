"""The weekly maintenance: what neither the lake nor a published file needs any more is removed.

Here: which deliveries and files are still needed. Not here: how they are removed (lake/maintenance.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter

from heap_assets.lake.maintenance import RETENTION, Tidied, removed_leftovers, tidied
from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analytics_state import analyzed_files
from heap_assets.pipeline.build.external_data import joined_files
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolve.compaction import compacted_files
from heap_assets.pipeline.resolve.resolved_state import resolved_files
from heap_assets.sources.heap.truth import current_deliveries

_PART = Part("leftovers", TypeAdapter(dict[str, datetime]), without={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """What was done: by table; how many files that nothing needs any more by folder of the lake; or why nothing was."""

    tables: Mapping[str, Tidied] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
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
    analyzed = analyzed_files(storage)
    needed = {
        "resolved": resolved_files(storage) | analyzed,  # an analysis needs the identity map that it saw
        "analytics": analyzed,
        "packed": compacted_files(storage),
        "other": joined_files(storage),
    }
    since = _PART.read(storage)
    files, waiting = {}, {}
    for folder, kept in needed.items():
        files[folder], found = removed_leftovers(storage, folder, kept=kept, since=since, now=now)
        waiting.update(found)
    _PART.write(storage, waiting)
    return Maintenance(tables=tables, files=files)
