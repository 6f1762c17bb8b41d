"""Manifests: what a dump says it delivers.

Here: JSON text to a Dump, and the errors of a text that is not a manifest. Not here: which manifest of a dump counts
(arrivals.py), which deliveries make up a table (truth.py).
Source: Heap's S3 specification; CONTRACT section 1.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from heap_assets.errors import ManifestError

DIGEST_LETTERS = 12
_MOST_DUMP_ID = 2**63 - 1
_DIGITS = re.compile("[0-9]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one dump says of one table.

    ``files`` are as listed; a delivery that is only remembered has none, so ask ``file_count``.
    """

    table: str
    incremental: bool
    columns: tuple[str, ...] = ()
    file_count: int = 0
    files: tuple[str, ...] = field(default=(), compare=False)
    first_file_modified: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dump:
    """One dump: its manifest, read. ``modified`` is when this content was first seen (aware, UTC)."""

    dump_id: int
    digest: str
    manifest_key: str
    modified: datetime
    deliveries: tuple[Delivery, ...]
    property_definitions: str | None = None

    @property
    def delivery_id(self) -> str:
        """Return what tells this content from another content of the same dump."""
        return f"{self.dump_id}-{self.digest[:DIGEST_LETTERS]}-{round(self.modified.timestamp() * 1000)}"


def read_manifest(text: bytes, *, key: str, modified: datetime) -> Dump:
    """Return the dump that a manifest's text describes.

    Raises:
        ManifestError: The text is not JSON, or not of a manifest's form; names the file, the place and the value.
    """
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair is not text
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{key}: not JSON ({error}). Ask Heap for this dump again, or repair the file.") from error
    if not isinstance(content, dict):
        raise _wrong(key, "the whole file", content, "an object")
    dump_id = _dump_id(content.get("dump_id"), key)
    tables = content.get("tables")
    if not isinstance(tables, list):
        raise _wrong(key, "tables", tables, "a list")
    definitions = content.get("property_definitions")
    if definitions is not None and not isinstance(definitions, str):
        raise _wrong(key, "property_definitions", definitions, "a path")
    return Dump(
        dump_id=dump_id,
        digest=content_digest(content),
        manifest_key=key,
        modified=modified,
        deliveries=_merged([_delivery(table, f"tables[{place}]", key) for place, table in enumerate(tables)]),
        property_definitions=definitions,
    )


def content_digest(content: Any) -> str:
    """Return a digest of what a manifest says, whatever its layout."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _dump_id(value: object, key: str) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_DUMP_ID:
        raise _wrong(key, "dump_id", value, "a whole number from 0 to 2^63 - 1")
    return value


def _delivery(table: object, place: str, key: str) -> Delivery:
    if not isinstance(table, dict):
        raise _wrong(key, place, table, "an object")
    name, incremental = table.get("name"), table.get("incremental")
    if not isinstance(name, str) or not name:
        raise _wrong(key, f"{place}.name", name, "the name of a table")
    if not isinstance(incremental, bool):
        raise _wrong(key, f"{place}.incremental", incremental, "true or false")
    files, columns = table.get("files"), table.get("columns") or []
    for part, value in (("files", files), ("columns", columns)):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _wrong(key, f"{place}.{part}", value, "a list of texts")
    listed = tuple(file for file in files or () if not file.endswith("/"))
    return Delivery(table=name, incremental=incremental, columns=tuple(columns), files=listed, file_count=len(listed))


def _merged(deliveries: list[Delivery]) -> tuple[Delivery, ...]:
    """Return one delivery a table: a manifest that lists a table twice means the files of both."""
    merged: dict[str, Delivery] = {}
    for new in deliveries:
        old = merged.get(new.table)
        merged[new.table] = (
            new
            if old is None
            else Delivery(
                table=new.table,
                incremental=old.incremental and new.incremental,
                columns=tuple(dict.fromkeys((*old.columns, *new.columns))),
                files=(*old.files, *new.files),
                file_count=old.file_count + new.file_count,
            )
        )
    return tuple(merged.values())


def _wrong(key: str, place: str, value: object, allowed: str) -> ManifestError:
    shown = json.dumps(value)[:80]
    return ManifestError(
        f"{key}: {place} is {shown}, but a manifest has {allowed} there. Ask Heap for this dump again, or repair it."
    )
