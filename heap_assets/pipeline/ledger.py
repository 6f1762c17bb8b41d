"""The ledger: what has landed, as one document beside the tables.

It is the truth about what counts: the dumps that were taken, in the content that was taken, with what is needed to know
their tables without the bucket. It is replaced as a whole, after everything it speaks of is committed; a crash before
that leaves the old one, and the next run finds the committed deliveries and goes on.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Final, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from heap_assets.errors import LakeError
from heap_assets.lake.storage import Storage
from heap_assets.sources.heap.manifest import Dump
from heap_assets.sources.heap.property_definitions import ParsedDefinitions, parse_definitions
from heap_assets.sources.heap.sync_reports import SyncReport

LEDGER, PREVIOUS = "ledger.json", "ledger.previous.json"
RAW = "raw"
"""The folder of the raw tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenManifest:
    """A manifest file as it was read last: while its signature stays it need not be read again."""

    key: str
    signature: str
    modified: datetime
    dump_id: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Dumps that were taken, by id; ``definitions`` are the property definitions that each brought, if readable.

    ``export`` says whose dumps they are (landing/export_identity.py); None if an earlier version did not record it.
    ``outdated`` is set where code landed them that read some values otherwise: the next landing reads them again.
    """

    export: str | None = None
    outdated: bool = False
    dumps: Mapping[int, Dump] = field(default_factory=dict)
    manifests: tuple[SeenManifest, ...] = ()
    reports: tuple[SyncReport, ...] = ()
    definitions: Mapping[int, str] = field(default_factory=dict)
    definition_texts: Mapping[str, str] = field(default_factory=dict)

    def definitions_in_force(self) -> str | None:
        """Return the text of the definitions of the greatest dump that delivered a readable file."""
        last = max(self.definitions, default=None)
        return None if last is None else self.definition_texts[self.definitions[last]]

    def parsed_definitions(self) -> ParsedDefinitions:
        """Return the labeled properties that hold, and those that cannot be used."""
        text = self.definitions_in_force()
        return ParsedDefinitions((), ()) if text is None else parse_definitions(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    """The ledger as it is written: every key must be there and no other may be."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    version: Literal[2]
    export: str | None
    outdated: bool = False
    dumps: Mapping[int, Dump]
    manifests: tuple[SeenManifest, ...]
    reports: tuple[SyncReport, ...]
    definitions: Mapping[int, str]
    definition_texts: Mapping[str, str]

    def ledger(self) -> Ledger:
        """Return what the document says."""
        return Ledger(**{field.name: getattr(self, field.name) for field in fields(Ledger)})


_DOCUMENT = TypeAdapter(_Document)
_VERSION: Final = 2
_FIRST = {"version": _VERSION, "export": None, "outdated": True}
"""What the first version of the document, which has no key ``version``, did not say.

Its code left ``session_time`` out and kept the zeros at the end of decimals."""


def read_ledger(storage: Storage) -> Ledger:
    """Return the lake's ledger; an empty one if nothing has ever landed.

    A ledger that is torn or gone is read as it was one landing ago: what has landed since is found committed.

    Raises:
        LakeError: It cannot be read, or it is gone from a lake that has tables; names the file and what to do.
    """
    try:
        newest = _read(storage, LEDGER)
        return newest or _read(storage, PREVIOUS) or _nothing(storage)
    except _TornError as torn:
        try:
            previous = _read(storage, PREVIOUS)
        except _TornError:
            previous = None
        if previous is None:
            raise LakeError(f"{torn} Restore it from a backup, or run: heap-assets sync --recover") from torn
        return previous


def write_ledger(storage: Storage, ledger: Ledger) -> None:
    """Replace the lake's ledger. File lists stay with the manifests: one can name more than 10,000 files."""
    kept = {
        dump_id: replace(dump, deliveries=tuple(replace(delivery, files=()) for delivery in dump.deliveries))
        for dump_id, dump in sorted(ledger.dumps.items())
    }
    said = {field.name: getattr(ledger, field.name) for field in fields(Ledger)}
    content = _DOCUMENT.dump_json(_Document(version=_VERSION, **{**said, "dumps": kept}))
    with suppress(_TornError):
        if _read(storage, LEDGER) is not None:
            storage.write(PREVIOUS, storage.read(LEDGER) or b"")
    storage.write(LEDGER, content)


def _read(storage: Storage, path: str) -> Ledger | None:
    content = storage.read(path)
    if content is None:
        return None
    place = f"{storage.uri}/{path}"
    try:
        document = json.loads(content)
        version = document.get("version", 1) if isinstance(document, dict) else 0
        if isinstance(version, int) and version > _VERSION:
            raise LakeError(f"{place} was written by a later heap_assets (version {version}); update this one.")
        return _DOCUMENT.validate_python({**_FIRST, **document} if version == 1 else document, strict=False).ledger()
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise _TornError(f"{place} cannot be read ({where}: {first['msg']}).") from error
    except ValueError as error:
        raise _TornError(f"{place} cannot be read ({error}).") from error


def _nothing(storage: Storage) -> Ledger:
    """Return the ledger of an empty lake: before anything lands in one, its ledger is written."""
    if next(iter(storage.folders(RAW)), None) is None:
        return Ledger()
    raise LakeError(
        f"{storage.uri}/{LEDGER} is gone, but the lake has tables. Restore it from a backup, or run:"
        " heap-assets sync --recover"
    )


class _TornError(Exception):
    """A document that is there and is not a ledger."""
