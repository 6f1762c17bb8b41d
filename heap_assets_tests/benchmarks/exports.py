"""The sample exports that are measured: about so many events, made once and found again where they are kept.

Here: how many people make that many events, where an export lies, which of its files landing needs. Not here: the
sample itself (heap_assets/export/sample).
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from heap_assets.sample.calendar import dump_ids
from heap_assets.sample.export import Sample, write_sample
from heap_assets.sample.size import MOST_LAST_VISITS, SampleSize
from heap_assets.sources.heap.manifest import read_manifest
from heap_assets.sources.heap.truth import current_deliveries

NOT_COUNTED = frozenset({"_event_metadata"})
"""A few rows that may be JSON, which no peer reads; landing does, for nothing."""

_EVENTS_PER_PERSON_AND_DAY = 0.68
_PEOPLE_PER_USERS = 1.5  # users are people and devices without a name; who stays away instead of merging is drawn too
_LAST_VISITS_PER_DAY = 0.13  # of history: so often comes back who does, so that 1 % of the users make 1 % of the events
_LAST_MERGING = 0.5  # so that of five users who come back one merges
_FEWEST_PEOPLE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export and what is in it; ``root`` has manifests/ and the dumps."""

    root: Path
    dumps: int
    events: int
    size_bytes: int


def whole_export(folder: Path, *, events: int, days: int) -> Export:
    """Return an export of about that many events: a first dump with two thirds of the days, then about one a day."""
    return _made(folder / f"{events}-events-{days}-days", _size(events, days))


def history_and_night(folder: Path, *, events: int, days: int, share: float) -> tuple[Export, Export]:
    """Return an export of about that many events, and apart from it one more dump, that of a night.

    The night brings about that share of the events, by that share of the users, of whom about every fifth merges.
    """
    size = _size(events, days, share)
    *earlier, last = dump_ids(size)
    name = f"{events}-events-{days}-days-night-{share:g}"
    return _made(folder / name / "history", size, earlier), _made(folder / name / "night", size, [last])


def deliver(export: Export, root: Path) -> None:
    """Put an export's dumps below a root, beside those that are there, manifests last; times of writing stay."""
    folders = sorted(export.root.iterdir(), key=lambda folder: folder.name.startswith("manifests"))
    for folder in folders:
        if folder.is_dir():
            shutil.copytree(folder, root / folder.name, copy_function=os.link, dirs_exist_ok=True)


def needed_files(export: Export) -> list[str]:
    """Return the data files that landing the whole export at once opens, as paths, in the manifests' order."""
    dumps = []
    for path in sorted((export.root / "manifests").iterdir()):
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        dumps.append(read_manifest(path.read_bytes(), key=path.name, modified=modified))
    return [
        str(export.root / listed[listed.index(f"sync_{item.dump.dump_id}/") :])
        for table, deliveries in current_deliveries(dumps).items()
        if table not in NOT_COUNTED
        for item in deliveries
        for listed in item.delivery.files
    ]


def _size(events: int, days: int, share: float | None = None) -> SampleSize:
    people = max(_FEWEST_PEOPLE, round(events / days / _EVENTS_PER_PERSON_AND_DAY))
    if share is None:
        return SampleSize(users=people, days=days)
    return SampleSize(
        users=people,
        days=days,
        last_dump_share=share * _PEOPLE_PER_USERS,
        last_dump_visits=min(MOST_LAST_VISITS, max(1, round(days * _LAST_VISITS_PER_DAY))),
        last_dump_merging=_LAST_MERGING,
    )


def _made(root: Path, size: SampleSize, only: list[int] | None = None) -> Export:
    done = root / "made.json"
    if not done.exists():
        shutil.rmtree(root, ignore_errors=True)
        sample = write_sample(root, size, only=only)
        done.write_text(json.dumps(_described(root, sample)), encoding="utf-8")
    return Export(root=root, **json.loads(done.read_text(encoding="utf-8")))


def _described(root: Path, sample: Sample) -> dict[str, int]:
    size_bytes = sum(file.stat().st_size for file in root.rglob("*.avro"))
    described = asdict(Export(root=root, dumps=len(sample.dump_ids), events=sample.events, size_bytes=size_bytes))
    return {name: value for name, value in described.items() if name != "root"}
