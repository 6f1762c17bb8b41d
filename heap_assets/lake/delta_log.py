"""The log of a Delta table on a disk: brought there after a commit, and mended after a power cut.

delta-rs flushes nothing. What a power cut leaves of a log is its beginning: the newest entries can be gone, empty or
torn, and so can the newest checkpoint. An empty entry is read as a commit of nothing; a torn one ends every reading.
Here: which entries are readable, and setting the others aside. Not here: what an entry says (landed_table.py).
"""

import json
import re
import uuid
from collections.abc import Collection, Iterable
from pathlib import Path

from heap_assets.lake.disk import is_whole_parquet
from heap_assets.lake.storage import Storage

_FOLDER, _HINT = "_delta_log", "_last_checkpoint"
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\.parquet")
_CHECKPOINT_PART = ".checkpoint."
_ASIDE = "torn"


def latest_version(storage: Storage, folder: str) -> int | None:
    """Return the version of a table by the names in its log; None without a commit."""
    return max(_versions(_COMMIT, storage.names(f"{folder}/{_FOLDER}")), default=None)


def settle_log(storage: Storage, folder: str, *, since: int) -> None:
    """Return when the entries of this version and later ones, and a checkpoint of them, survive a power cut."""
    if not storage.can_tear:
        return
    log = f"{folder}/{_FOLDER}"
    names = (name for name in storage.names(log) if name[:20].isdigit() and int(name[:20]) >= since)
    storage.settle([f"{log}/{name}" for name in (*names, _HINT) if storage.local_copy(f"{log}/{name}").exists()])


def mend_log(storage: Storage, folder: str) -> tuple[str, ...]:
    """Set aside what cannot be read of a log, and what comes after it; return the paths that it had.

    What is left is a table as it was at an earlier commit, or none. 0.1 ms for a log in order.
    """
    log = f"{folder}/{_FOLDER}"
    names = frozenset(storage.names(log)) if storage.can_tear else frozenset()
    if not names or any(_CHECKPOINT_PART in name and not _CHECKPOINT.fullmatch(name) for name in names):
        return ()  # nothing, or a log that another engine keeps in its own way
    place = storage.local_copy(log)
    whole = _readable(place, names)
    aside = sorted(name for name in names - whole if _COMMIT.fullmatch(name) or _CHECKPOINT.fullmatch(name))
    if aside or not _hint_leads(place, whole):
        aside += [_HINT] if _HINT in names else []  # without it the log is found by its names
    for name in reversed(aside):  # the newest first, so that a run that is killed leaves a beginning again
        storage.write(f"{_ASIDE}/{log}/{name}.{uuid.uuid4().hex}", (place / name).read_bytes())
        storage.remove(f"{log}/{name}")
    return tuple(f"{log}/{name}" for name in aside)


def _readable(place: Path, names: Collection[str]) -> frozenset[str]:
    """Return the entries and checkpoints that together lead as far as any do."""
    commits = sorted(_versions(_COMMIT, names))
    checkpoints = sorted(_versions(_CHECKPOINT, names), reverse=True)
    base = next((version for version in checkpoints if is_whole_parquet(place / _checkpoint(version))), -1)
    last = base
    for version in (version for version in commits if version > base):
        if version != last + 1 or not _is_whole_commit(place / _commit(version)):
            break
        last = version
    first = base
    while _commit(first) in names:  # a gap before the checkpoint ends a reading too
        first -= 1
    kept = [_commit(version) for version in commits if first < version <= last]
    return frozenset([*kept, *(_checkpoint(version) for version in checkpoints if version <= base)])


def _hint_leads(place: Path, whole: Collection[str]) -> bool:
    """Return whether the hint leads to a checkpoint that is there; one that is torn leads nowhere and is ignored."""
    hint = place / _HINT
    if not hint.exists():
        return True
    try:
        version = json.loads(hint.read_bytes())["version"]
        return _checkpoint(int(version)) in whole
    except (ValueError, KeyError, TypeError):
        return False


def _is_whole_commit(entry: Path) -> bool:
    """Return whether an entry is lines of JSON, each complete."""
    lines = entry.read_bytes().splitlines()
    try:
        return bool(lines) and all(isinstance(json.loads(line), dict) for line in lines)
    except ValueError:
        return False


def _versions(pattern: re.Pattern[str], names: Iterable[str]) -> list[int]:
    return [int(found[1]) for name in names if (found := pattern.fullmatch(name))]


def _commit(version: int) -> str:
    return f"{version:020}.json"


def _checkpoint(version: int) -> str:
    return f"{version:020}.checkpoint.parquet"
