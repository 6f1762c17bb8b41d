"""The tolerant readers: Avro files that the fast reader refuses, and JSON where Heap may send it.

Here: any Avro record field by field, by the type of each value; JSON and JSON lines. Not here: ordinary files (avro.py).
fastavro takes a fifth of the fast reader's speed and next to no memory; it is used only for files that need it.
"""

import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, BinaryIO

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


def read_json_rows(content: bytes) -> Decoded:
    """Return the rows of a JSON list of objects, of one object, or of JSON lines.

    Raises:
        UnreadableFileError: The content is none of these.
    """
    rows = _json_rows(content)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: dict[str, pl.Series] = {}
    sources: dict[str, dict[ValueType, str]] = {}
    for place, name in enumerate(names):
        split = [_typed(row.get(name)) for row in rows]
        types = sorted({value_type for value_type, _ in split if value_type is not None}) or [ValueType.TEXT]
        sources[name] = {value_type: f"{place}.{value_type}" for value_type in types}
        for value_type, column in sources[name].items():
            values = [value if kind is value_type else None for kind, value in split]
            columns[column] = pl.Series(column, values, dtype=value_type.polars)
    return Decoded(pl.DataFrame(columns, height=len(rows)).lazy(), sources)


def json_row_count(content: bytes) -> int:
    """Return how many rows a JSON file has."""
    return len(_json_rows(content))


def _json_rows(content: bytes) -> list[dict[str, Any]]:
    text = content.decode("utf-8", "replace")
    try:
        whole = json.loads(text)
    except ValueError:
        try:
            whole = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise UnreadableFileError(f"is neither Avro nor JSON ({error})") from error
    rows = whole if isinstance(whole, list) else [whole]
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise UnreadableFileError(f"has {json.dumps(row)[:80]} as its row {place}, which is no JSON object")
    return rows


def _chunks(file: AvroFile, fields: list[_Field]) -> Iterator[dict[str, list[Any]]]:
    columns = [(f"{place}.{kind}", place, kind) for place, field in enumerate(fields) for kind in field.types]
    with file.path.open("rb") as raw:
        values: dict[str, list[Any]] = {column: [] for column, _, _ in columns}
        height = 0
        for record in fastavro.reader(_renamed(raw, file)):
            split = [_typed(value) for value in record.values()]
            for column, place, kind in columns:
                found, value = split[place]
                belongs = found is kind or (kind is ValueType.TIME and found is ValueType.LONG)
                values[column].append(_scaled(value, fields[place]) if belongs else None)
            height += 1
            if height == _CHUNK_ROWS:
                yield values
                values, height = {column: [] for column in values}, 0
        yield values


def _scaled(value: Any, field: _Field) -> Any:
    """Return a timestamp's number as microseconds, which is what Datetime("us") is made of."""
    units = field.units_per_second
    if units is None or not isinstance(value, int):
        return value
    return value * (10**6 // units) if units <= 10**6 else value // (units // 10**6)


def _field(declared: Mapping[str, Any]) -> _Field:
    branches = declared["type"] if isinstance(declared["type"], list) else [declared["type"]]
    types: dict[ValueType, None] = {}
    units = None
    for branch in branches:
        name, logical = (branch.get("type"), branch.get("logicalType")) if isinstance(branch, dict) else (branch, None)
        if name == "null":
            continue
        if name == "long" and logical in _TIME_UNITS_PER_SECOND:
            units = _TIME_UNITS_PER_SECOND[logical]
            types[ValueType.TIME] = None
        else:
            types[_BRANCHES.get(name, ValueType.TEXT) if logical is None else ValueType.TEXT] = None
    return _Field(str(declared["name"]), tuple(types) or (ValueType.TEXT,), units)


def _typed(value: Any) -> tuple[ValueType | None, Any]:
    """Return a value with the type of the column that it belongs to."""
    match value:
        case None:
            return None, None
        case bool():
            return ValueType.BOOLEAN, value
        case int():
            return (ValueType.LONG, value) if value in _INT64 else (ValueType.TEXT, str(value))
        case float():
            return ValueType.DOUBLE, value
        case str():
            return ValueType.TEXT, value
        case bytes():
            return ValueType.TEXT, value.decode("utf-8", "backslashreplace")
        case date() | datetime() | time():
            return ValueType.TEXT, value.isoformat()
        case list() | dict() | tuple():
            return ValueType.TEXT, json.dumps(value, default=str, ensure_ascii=False)
        case _:
            return ValueType.TEXT, str(value)


def _renamed(raw: BinaryIO, file: AvroFile) -> BinaryIO:
    """Return the file with plain field names and without timestamp types: readers refuse odd names and far years."""
    fields = [
        {"name": f"f{place}", "type": _without_timestamps(declared["type"])}
        for place, declared in enumerate(file.schema["fields"])
    ]
    schema = json.dumps({"type": "record", "name": "row", "fields": fields}).encode()
    raw.seek(file.blocks_at - SYNC_LENGTH)
    sync = raw.read(SYNC_LENGTH)
    header = MAGIC + _zigzag(2)
    for name, content in ((b"avro.schema", schema), (b"avro.codec", file.codec.encode())):
        header += _zigzag(len(name)) + name + _zigzag(len(content)) + content
    return _Joined(header + _zigzag(0) + sync, raw)


def _without_timestamps(declared: Any) -> Any:
    if isinstance(declared, list):
        return [_without_timestamps(branch) for branch in declared]
    if isinstance(declared, dict) and declared.get("logicalType") in _TIME_UNITS_PER_SECOND:
        return declared["type"]
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
