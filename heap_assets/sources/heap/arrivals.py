"""Which dumps have arrived, in which content: the manifests of an export, read and told apart.

Here: of several manifests with one dump id the one modified last; a content that comes again is not a new one.
Not here: landing. A manifest that cannot be read is an arrival too: its dump fails, and later dumps wait.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from heap_assets.errors import ManifestError
from heap_assets.sources.heap.manifest import Dump, read_manifest
from heap_assets.sources.source import Source, StoredObject

MANIFESTS = "manifests/"
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestContent:
    """A manifest file, and what it says; ``dump_id`` is None if not even the name tells."""

    key: str
    signature: str
    modified: datetime
    dump_id: int | None
    digest: str
    dump: Dump | None = None
    error: ManifestError | None = None


def manifest_files(source: Source) -> tuple[StoredObject, ...]:
    """Return the manifest files of an export, oldest first."""
    listed = [found for found in source.objects(MANIFESTS) if found.key.endswith(".json")]
    return tuple(sorted(listed, key=lambda found: (found.modified, found.key)))


def manifest_content(source: Source, file: StoredObject) -> ManifestContent:
    """Return what a manifest file says, or that it says nothing that can be read."""
    text = source.read(file.key)
    try:
        dump = read_manifest(text, key=file.key, modified=file.modified)
    except ManifestError as error:
        numbers = _NUMBER.findall(file.key.rpartition("/")[2])
        return ManifestContent(
            key=file.key,
            signature=file.signature,
            modified=file.modified,
            dump_id=int(numbers[-1]) if numbers else None,
            digest=hashlib.sha256(text).hexdigest(),
            error=error,
        )
    return ManifestContent(
        key=file.key,
        signature=file.signature,
        modified=file.modified,
        dump_id=dump.dump_id,
        digest=dump.digest,
        dump=dump,
    )


def counting_contents(
    contents: Iterable[ManifestContent], known: Mapping[int, Dump]
) -> dict[int | None, ManifestContent]:
    """Return for each dump the content that counts, ``modified`` being when that content was first seen.

    ``known`` are the dumps that landed: a content that landed keeps its time, and a dump whose manifest is gone from
    the bucket is not named (it stays as it landed).
    """
    by_dump: dict[int | None, list[ManifestContent]] = defaultdict(list)
    for content in contents:
        by_dump[content.dump_id].append(content)
    return {
        dump_id: _counting(found, None if dump_id is None else known.get(dump_id)) for dump_id, found in by_dump.items()
    }


def _counting(found: list[ManifestContent], landed: Dump | None) -> ManifestContent:
    ordered = sorted(found, key=lambda content: (content.modified, content.key))
    last = ordered[-1]
    first_seen = last.modified
    for content in reversed(ordered):
        if content.digest != last.digest:
            break
        first_seen = content.modified
    if landed is not None and landed.digest == last.digest and not _came_between(ordered, landed, first_seen):
        first_seen = min(first_seen, landed.modified)
    dump = None if last.dump is None else replace(last.dump, modified=first_seen)
    return replace(last, modified=first_seen, dump=dump)


def _came_between(ordered: list[ManifestContent], landed: Dump, until: datetime) -> bool:
    """Return whether another content of the dump came after the one that landed and before this one."""
    return any(landed.modified < content.modified < until and content.digest != landed.digest for content in ordered)
