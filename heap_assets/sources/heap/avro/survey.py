"""Avro files: what a file declares and how many rows it has, without decoding it.

Here: header and block walk (a truncated file is found here). Not here: what is in the blocks (blocks.py), rows of
ordinary files (fast.py), of odd ones (tolerant.py).
Limits, so that a small file cannot declare work without end: 10 million rows, or 100 for each byte of the file; 100,000
rows that take no bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.avro.blocks import CODECS, SYNC_LENGTH, number, spans
from heap_assets.sources.heap.avro.text import WRITTEN_OUT
from heap_assets.sources.heap.avro.types import AvroType, Primitive, Union, fewest_bytes, table_fields
from heap_assets.sources.heap.avro.values import MOST_EMPTY

MAGIC = b"Obj\x01"
TIME_UNITS_PER_SECOND = {
    "timestamp-millis": 10**3,
    "timestamp-micros": 10**6,
    "timestamp-nanos": 10**9,
    "local-timestamp-millis": 10**3,
    "local-timestamp-micros": 10**6,
    "local-timestamp-nanos": 10**9,
}
_ALWAYS_ROWS = 10_000_000
_MOST_ROWS_PER_BYTE = 100
_MOST_SCHEMA_BYTES = 16 * 2**20
_SIMPLE = {
    "null": ValueType.TEXT,
    "boolean": ValueType.BOOLEAN,
    "int": ValueType.LONG,
    "long": ValueType.LONG,
    "float": ValueType.DOUBLE,
    "double": ValueType.DOUBLE,
    "string": ValueType.TEXT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AvroFile:
    """What an Avro file says of itself.

    ``blocks_at`` is the byte where the data begins, ``types`` are the simple fields with their type; ``is_ordinary``
    tells that the fast reader can take it.
    """

    path: Path
    fields: tuple[tuple[str, AvroType], ...]
    schema_text: str
    codec: str
    rows: int
    blocks_at: int
    types: Mapping[str, ValueType]
    is_ordinary: bool


def survey(path: Path) -> AvroFile:
    """Return what the file declares and how many rows it has; reads headers only, no data.

    Raises:
        UnreadableFileError: Not Avro, cut short, declared wrongly, or beyond the limits; says where.
    """
    with path.open("rb") as file:
        length = path.stat().st_size
        if file.read(len(MAGIC)) != MAGIC:
            raise UnreadableFileError("does not begin like an Avro file" if length else "is empty (0 bytes)")
        metadata = _metadata(file, length)
        sync = _exactly(file, SYNC_LENGTH, length)
        blocks_at = file.tell()
        rows = sum(span.rows for span in spans(file, length, sync))
    codec = metadata.get("avro.codec", b"null").decode("utf-8", "replace")
    if codec not in CODECS:
        raise UnreadableFileError(f"is compressed by {codec[:80]!r}, known are {', '.join(sorted(CODECS))}")
    schema_text = _text(metadata.get("avro.schema", b""))
    fields = tuple(table_fields(schema_text))
    fewest = sum(fewest_bytes(kind) for _, kind in fields)
    _check_rows(rows, fewest, length)
    types = {name: simple for name, kind in fields if (simple := simple_type(kind)) is not None}
    return AvroFile(
        path=path,
        fields=fields,
        schema_text=schema_text,
        codec=codec,
        rows=rows,
        blocks_at=blocks_at,
        types=types,
        is_ordinary=rows > 0 and fewest > 0 and len(types) == len(fields),
    )


def simple_type(avro_type: AvroType) -> ValueType | None:
    """Return the type of a primitive, or of a union of null and one; None for anything else."""
    match avro_type:
        case Primitive(name="long", logical=logical) if logical in TIME_UNITS_PER_SECOND:
            return ValueType.TIME
        case Primitive(name=name, logical=logical) if (name, logical) not in WRITTEN_OUT:
            return _SIMPLE.get(name)
        case Union(branches=(Primitive(name="null"), Primitive(name=name) as other)) if name != "null":
            return simple_type(other)
        case Union(branches=(Primitive(name=name) as other, Primitive(name="null"))) if name != "null":
            return simple_type(other)
        case _:
            return None


def _check_rows(rows: int, fewest: int, length: int) -> None:
    most = max(_ALWAYS_ROWS, _MOST_ROWS_PER_BYTE * length)
    if rows > most:
        raise UnreadableFileError(f"declares {rows:,} rows in {length:,} bytes, the most is {most:,}")
    if not fewest and rows > MOST_EMPTY:
        raise UnreadableFileError(f"declares {rows:,} rows that take no bytes, the most is {MOST_EMPTY:,}")


def _metadata(file: BinaryIO, length: int) -> dict[str, bytes]:
    metadata: dict[str, bytes] = {}
    while count := number(file):
        if count < 0:
            count, _ = -count, number(file)
        for _ in range(count):
            name = _exactly(file, number(file), length).decode("utf-8", "replace")
            metadata[name] = _exactly(file, number(file), length)
    return metadata


def _exactly(file: BinaryIO, size: int, length: int) -> bytes:
    if not 0 <= size <= length - file.tell():
        raise UnreadableFileError("is cut short within its header")
    return file.read(size)


def _text(schema: bytes) -> str:
    if len(schema) > _MOST_SCHEMA_BYTES:
        raise UnreadableFileError(f"declares a schema of {len(schema):,} bytes, the most is {_MOST_SCHEMA_BYTES:,}")
    try:
        return schema.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"declares a schema that is not UTF-8 ({error})") from error
