"""The data files of a dump: their names from its manifest, their times from the listing of its folders.

Not here: the manifest itself (manifest.py), what is in a file (heap/avro/survey.py).
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from heap_assets.errors import LakeError
from heap_assets.sources.heap.manifest import Dump, read_manifest
from heap_assets.sources.source import Source

if TYPE_CHECKING:
    from datetime import datetime


def with_files(source: Source, dump: Dump) -> Dump:
    """Return the dump with its file lists, which the ledger leaves to the manifest.

    Raises:
        LakeError: The manifest is not the one that was read before.
    """
    if all(len(delivery.files) == delivery.file_count for delivery in dump.deliveries):
        return dump
    content = read_manifest(source.read(dump.manifest_key), key=dump.manifest_key, modified=dump.modified)
    if content.digest != dump.digest:
        raise LakeError(f"Dump {dump.dump_id}: {dump.manifest_key} changed meanwhile. Sync again.")
    return content


def with_file_times(source: Source, dump: Dump) -> Dump:
    """Return the dump with the time of the earliest file of each delivery; a file that is gone has none.

    Raises:
        ManifestError: A listed file has no place below the export's root.
    """
    keys = {file: source.root_of(file, dump.dump_id) for delivery in dump.deliveries for file in delivery.files}
    modified: dict[str, datetime] = {}
    for folder in sorted({key.partition("/")[0] for key in keys.values()}):
        modified.update({found.key: found.modified for found in source.objects(f"{folder}/")})
    deliveries = []
    for delivery in dump.deliveries:
        times = [modified[keys[file]] for file in delivery.files if keys[file] in modified]
        deliveries.append(replace(delivery, first_file_modified=min(times, default=None)))
    return replace(dump, deliveries=tuple(deliveries))
