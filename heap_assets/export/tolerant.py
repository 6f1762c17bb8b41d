"""The tolerant reader: Avro files that the fast reader refuses.

Here: any Avro record, each value by its own type. Not here: ordinary files (avro.py), JSON (json_rows.py).
fastavro takes a fifth of the fast reader's speed and next to no memory; it is used only for files that need it.
"""

import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any, BinaryIO, cast

import fastavro
import polars as pl
from polars.io.plugins import register_io_source

from heap_assets.columns import ValueType
from heap_assets.errors import UnreadableFileError
from heap_assets.export.avro import MAGIC, SYNC_LENGTH, AvroFile

_CHUNK_ROWS = 20_000
_INT64 = range(-(2**63), 2**63)
_TIME_UNITS_PER_SECOND = {
    "timestamp-millis": 10**3,
    "timestamp-micros": 10**6,
    "timestamp-nanos": 10**9,
    "local-timestamp-millis": 10**3,
    "local-timestamp-micros": 10**6,
    "local-timestamp-nanos": 10**9,
}
_WRITTEN_OUT = frozenset({("int", "date"), ("int", "time-millis"), ("long", "time-micros")})
_BRANCHES = {
    "boolean": ValueType.BOOLEAN,
    "int": ValueType.LONG,
    "long": ValueType.LONG,
    "float": ValueType.DOUBLE,
    "double": ValueType.DOUBLE,
}
Sources = Mapping[str, Mapping[ValueType, str]]
"""For each delivered column the frame's columns that hold its values, by type."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Delivered rows as a lazy frame, and where in it the values of each delivered column are."""

    frame: pl.LazyFrame
    sources: Sources


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    types: tuple[ValueType, ...]
    units_per_second: int | None


def tolerantly_scanned(file: AvroFile) -> Decoded:
    """Return the rows of any Avro file of records, in order; a value goes to the column of its own type."""
    fields = [_field(declared) for declared in file.schema["fields"]]
    sources = {
        field.name: {value_type: f"{place}.{value_type}" for value_type in field.types}
        for place, field in enumerate(fields)
    }
    schema = {column: value_type.polars for types in sources.values() for value_type, column in types.items()}

    def frames(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        rest = math.inf if n_rows is None else n_rows
        for chunk in _chunks(file, fields):
            frame = pl.DataFrame(chunk, schema=schema)
            if with_columns is not None:
                frame = frame.select(with_columns)
            if predicate is not None:
                frame = frame.filter(predicate)
            frame = frame.head(int(min(rest, frame.height)))
            rest -= frame.height
            yield frame
            if rest <= 0:
                return

    return Decoded(register_io_source(frames, schema=schema, is_pure=True), sources)


def _chunks(file: AvroFile, fields: list[_Field]) -> Iterator[dict[str, list[Any]]]:
    columns = [(f"{place}.{kind}", place, kind) for place, field in enumerate(fields) for kind in field.types]
    values: dict[str, list[Any]] = {column: [] for column, _, _ in columns}
    height = 0
    for record in _records(file):
        split = [typed(value) for value in record]
        for column, place, kind in columns:
            found, value = split[place]
            belongs = found is kind or (kind is ValueType.TIME and found is ValueType.LONG)
            values[column].append(_scaled(value, fields[place]) if belongs else None)
        height += 1
        if height == _CHUNK_ROWS:
            yield values
            values, height = {column: [] for column in values}, 0
    yield values


def _records(file: AvroFile) -> Iterator[list[Any]]:
    """Yield the values of each record; a damaged file makes the reader and its codecs raise any kind of error."""
    with file.path.open("rb") as raw:
        try:
            for record in fastavro.reader(_renamed(raw, file)):
                yield [*cast("dict[str, Any]", record).values()]
        except Exception as error:
            raise UnreadableFileError(str(error) or type(error).__name__) from error


def _scaled(value: Any, field: _Field) -> Any:
    """Return a timestamp's number as microseconds, which Datetime("us") is made of; null if they are too many."""
    units = field.units_per_second
    if units is None or not isinstance(value, int):
        return value
    micros = value * (10**6 // units) if units <= 10**6 else value // (units // 10**6)
    return micros if micros in _INT64 else None


def _field(declared: Mapping[str, Any]) -> _Field:
    types: dict[ValueType, None] = {}
    units = None
    for name, logical in _branches(declared["type"]):
        if name == "null":
            continue
        if name == "long" and logical in _TIME_UNITS_PER_SECOND:
            units = _TIME_UNITS_PER_SECOND[logical]
            types[ValueType.TIME] = None
        else:
            types[ValueType.TEXT if (name, logical) in _WRITTEN_OUT else _BRANCHES.get(name, ValueType.TEXT)] = None
    return _Field(str(declared["name"]), tuple(types) or (ValueType.TEXT,), units)


def _branches(declared: Any, logical: str = "") -> list[tuple[str, str]]:
    """Return the name and the logical type of each type that values can have, however deep it is wrapped."""
    if isinstance(declared, list):
        return [branch for part in declared for branch in _branches(part)]
    if isinstance(declared, dict):
        return _branches(declared.get("type"), str(declared.get("logicalType", logical)))
    return [(str(declared), logical)]


def typed(value: Any) -> tuple[ValueType | None, Any]:
    """Return a value with the type of the column that it belongs to."""
    kind, stored = ValueType.TEXT, value
    match value:
        case None:
            return None, None
        case bool():
            kind = ValueType.BOOLEAN
        case int() if value in _INT64:
            kind = ValueType.LONG
        case float():
            kind = ValueType.DOUBLE
        case str():
            pass
        case bytes():
            stored = value.decode("utf-8", "backslashreplace")
        case date() | datetime() | time():
            stored = value.isoformat()
        case list() | dict() | tuple():
            stored = json.dumps(value, default=str, ensure_ascii=False)
        case _:
            stored = str(value)
    return kind, stored


def _renamed(raw: BinaryIO, file: AvroFile) -> IO[bytes]:
    """Return the file with plain field names, and without the types whose odd values fastavro refuses."""
    fields = [
        {"name": f"f{place}", "type": _without_strict_types(declared["type"])}
        for place, declared in enumerate(file.schema["fields"])
    ]
    schema = json.dumps({"type": "record", "name": "row", "fields": fields}).encode()
    raw.seek(file.blocks_at - SYNC_LENGTH)
    sync = raw.read(SYNC_LENGTH)
    header = MAGIC + _zigzag(2)
    for name, content in ((b"avro.schema", schema), (b"avro.codec", file.codec.encode())):
        header += _zigzag(len(name)) + name + _zigzag(len(content)) + content
    return cast("IO[bytes]", _Joined(header + _zigzag(0) + sync, raw))


def _without_strict_types(declared: Any) -> Any:
    if isinstance(declared, list):
        return [_without_strict_types(branch) for branch in declared]
    if isinstance(declared, dict) and declared.get("logicalType") in {*_TIME_UNITS_PER_SECOND, "uuid"}:
        return {key: value for key, value in declared.items() if key != "logicalType"}
    return declared


def _zigzag(number: int) -> bytes:
    """Return a length as Avro writes it."""
    rest, written = number << 1, bytearray()
    while rest > 0x7F:  # noqa: PLR2004
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


class _Joined(io.RawIOBase):
    """Our header, then the blocks of the file as they are."""

    def __init__(self, header: bytes, blocks: BinaryIO) -> None:
        self._header = io.BytesIO(header)
        self._blocks = blocks

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._header.read(size) + self._blocks.read() if size < 0 else self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        start = self._header.read(size)
        return start + self._blocks.read(size - len(start)) if len(start) < size else start
