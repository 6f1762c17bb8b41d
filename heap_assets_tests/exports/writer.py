"""Write a described export to a folder: plain, the same bytes and times for the same description.

Here: files. Not here: what is worth writing (strategies.py).
"""

import io
import json
import os
from functools import lru_cache
from pathlib import Path

import fastavro

from heap_assets_tests.exports.description import Dump, Export, Field, File, Report

_SYNC_MARKER = b"heap-sync-marker"
_CUT = len(_SYNC_MARKER) + 1  # less than any block has
_LOGICAL = {
    name: {"type": "long", "logicalType": name}
    for name in (
        "timestamp-millis",
        "timestamp-micros",
        "timestamp-nanos",
        "local-timestamp-millis",
        "local-timestamp-micros",
    )
}


def write_export(root: Path, export: Export) -> None:
    """Write the settled state of an export: every dump as its versions left it, manifests with their first time."""
    for dump in export.dumps:
        write_dump(root, dump)
    for report in export.reports:
        write_report(root, report)


def write_dump(root: Path, dump: Dump) -> None:
    """Write one version of a dump, the manifest last."""
    write_dump_files(root, dump)
    write_manifest(root, dump)


def write_dump_files(root: Path, dump: Dump) -> None:
    """Write the data files and definitions of a dump."""
    folder = root / f"sync_{dump.dump_id}"
    for listing in dump.listings:
        for file in listing.files:
            path = folder / listing.table / file.name
            if file.state == "missing":
                path.unlink(missing_ok=True)  # an earlier version of the dump may have had it
            else:
                _put(path, file_bytes(file), file.modified)
    if dump.definitions:
        _put(folder / "property_definitions.json", dump.definitions.encode(), dump.modified)


def write_manifest(root: Path, dump: Dump, modified: int | None = None) -> None:
    """Write the manifest of a dump, by itself again with another time if one is given."""
    if dump.manifest == "absent":
        return
    content = b"<Error>SlowDown</Error>" if dump.manifest == "garbage" else json.dumps(manifest(dump)).encode()
    _put(root / "manifests" / manifest_name(dump), content, dump.modified if modified is None else modified)


def write_report(root: Path, report: Report) -> None:
    """Write a sync report."""
    _put(root / "sync_reports" / report.name, report.content.encode(), report.modified)


def manifest_name(dump: Dump) -> str:
    """Return the file name of a dump's manifest."""
    return dump.manifest_name or f"sync_{dump.dump_id}.json"


def manifest(dump: Dump) -> dict:
    """Return the manifest of a dump."""
    content = {
        "dump_id": dump.dump_id,
        "tables": [
            {
                "name": listing.table,
                "files": [key_of(dump, listing.table, file) for file in listing.files],
                "columns": list(listing.columns or _columns_of(listing.files)),
                "incremental": listing.incremental,
            }
            for listing in dump.listings
        ],
    }
    if dump.definitions is not None:
        content["property_definitions"] = f"{dump.prefix}/sync_{dump.dump_id}/property_definitions.json"
    return content | ({"attempt": dump.attempt} if dump.attempt else {})


def key_of(dump: Dump, table: str, file: File) -> str:
    """Return a data file's path as the manifest says it."""
    return f"{dump.prefix}/sync_{dump.dump_id}/{table}/{file.name}"


def file_bytes(file: File) -> bytes:
    """Return the bytes of a data file."""
    if file.state in {"garbage", "empty"}:
        return b"{no avro" if file.state == "garbage" else b""
    whole = _avro_bytes(file) if file.form == "avro" else _json_bytes(file)
    return whole[:-_CUT] if file.state == "truncated" else whole


def _avro_bytes(file: File) -> bytes:
    names = [field.name for field in file.fields]
    buffer = io.BytesIO()
    rows = [dict(zip(names, row, strict=True)) for row in file.rows]
    fastavro.writer(buffer, _schema(file.fields), rows, codec=file.codec, sync_marker=_SYNC_MARKER)
    return buffer.getvalue()


def _json_bytes(file: File) -> bytes:
    names = [field.name for field in file.fields]
    rows = [dict(zip(names, row, strict=True)) for row in file.rows]
    if file.form == "json":
        return json.dumps(rows).encode()
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


@lru_cache(maxsize=4096)
def _schema(fields: tuple[Field, ...]) -> dict:
    described = [{"name": field.name, "type": _avro_type(field)} for field in fields]
    return fastavro.parse_schema({"type": "record", "name": "topLevelRecord", "fields": described})


def _avro_type(field: Field) -> object:
    avro_type = _LOGICAL.get(field.type, field.type)
    if field.union == "bare" or field.type == "null":
        return avro_type
    return ["null", avro_type] if field.union == "null_first" else [avro_type, "null"]


def _columns_of(files: tuple[File, ...]) -> list[str]:
    return list(dict.fromkeys(field.name for file in files for field in file.fields))


def _put(path: Path, content: bytes, modified: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(modified * 1000, modified * 1000))
