"""The lake's ledger before and after the ordinary: claimed for an export, begun again where it is lost.

A ledger that is lost follows from the manifests again: deliveries that are committed are found by their names and not
decoded a second time. Here: writing the ledger outside a landing. Not here: the ledger itself (ledger.py), healing what
it names (landing.py).
"""

import re
from dataclasses import replace

from heap_assets.errors import LakeError
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.ledger import LEDGER, PREVIOUS, RAW, Ledger, read_ledger, write_ledger
from heap_assets.sources.heap.arrivals import manifest_content, manifest_files
from heap_assets.sources.source import Source

_SET_ASIDE = ".damaged"
_DELIVERY = re.compile(r"([0-9]+)-[0-9a-f]+-[0-9]+")


def claimed(ledger: Ledger, storage: Storage, export: str) -> Ledger:
    """Return the ledger with whose export the lake holds; written at once where nothing has landed, else with it."""
    if ledger.export is not None:
        return ledger
    known = replace(ledger, export=export)
    if not ledger.dumps:
        write_ledger(storage, known)
    return known


def recover_ledger(storage: Storage, source: Source, export: str) -> tuple[int, ...]:
    """Set what is left of the ledger aside and begin a new one.

    Returns:
        The dumps that have deliveries in the lake but no manifest in the export any more: their rows do not count.
    """
    outdated = _is_outdated(storage)
    for path in (LEDGER, PREVIOUS):
        content = storage.read(path)
        if content is not None:
            storage.write(f"{path}{_SET_ASIDE}", content)
            storage.remove(path)
    write_ledger(storage, Ledger(export=export, outdated=outdated))
    named = {manifest_content(source, file).dump_id for file in manifest_files(source)}
    deliveries = (_DELIVERY.fullmatch(name) for table in storage.folders(RAW) for name in _deliveries(storage, table))
    return tuple(sorted({int(found[1]) for found in deliveries if found} - named))


def _is_outdated(storage: Storage) -> bool:
    try:
        return read_ledger(storage).outdated
    except LakeError:
        return False


def _deliveries(storage: Storage, table: str) -> list[str]:
    return list(storage.folders(f"{RAW}/{table}"))
