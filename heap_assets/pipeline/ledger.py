"""The ledger: what has landed, as one document beside the tables.

It is the truth about what counts: the dumps that were taken, in the content that was taken, with what is needed to know
their tables without the bucket. It is replaced as a whole, after everything it speaks of is committed; a crash before
that leaves the old one, and the next run finds the committed deliveries and goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from heap_assets.errors import LakeError
from heap_assets.export.manifest import Dump
from heap_assets.export.property_definitions import ParsedDefinitions, parse_definitions
from heap_assets.export.sync_reports import SyncReport
from heap_assets.lake.storage import Storage

_PATH = "ledger.json"


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
    """Dumps that were taken, by id; ``definitions`` are the property definitions that each brought, if readable."""

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


_DOCUMENT = TypeAdapter(Ledger)


def read_ledger(storage: Storage) -> Ledger:
    """Return the lake's ledger; an empty one if nothing has landed yet."""
    content = storage.read(_PATH)
    if content is None:
        return Ledger()
    try:
        return _DOCUMENT.validate_json(content)
    except ValidationError as error:
        raise LakeError(
            f"{storage.uri}/{_PATH} cannot be read ({error.error_count()} errors, first: {error.errors()[0]['msg']}). "
            "Restore it, or set HEAP_LAKE_URI to an empty folder and sync again."
        ) from error


def write_ledger(storage: Storage, ledger: Ledger) -> None:
    """Replace the lake's ledger. File lists stay with the manifests: one can name more than 10,000 files."""
    kept = {
        dump_id: replace(dump, deliveries=tuple(replace(delivery, files=()) for delivery in dump.deliveries))
        for dump_id, dump in sorted(ledger.dumps.items())
    }
    storage.write(_PATH, _DOCUMENT.dump_json(replace(ledger, dumps=kept)))
