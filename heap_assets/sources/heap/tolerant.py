"""Delivered rows as lazy frames, each value in the column of its own type: ordinary files fast, any other tolerantly.

Here: any Avro record; the tolerant reader takes files that the fast one refuses, value by value, and says what is wrong
with a damaged one. Not here: bytes to values (heap/avro/fast.py, heap/avro/values.py), JSON (json_rows.py).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.avro.blocks import Block, inflated_blocks
from heap_assets.sources.heap.avro.fast import fast_frames
from heap_assets.sources.heap.avro.survey import TIME_UNITS_PER_SECOND, AvroFile
from heap_assets.sources.heap.avro.text import WRITTEN_OUT
from heap_assets.sources.heap.avro.types import AvroType, Primitive, Union, fewest_bytes
from heap_assets.sources.heap.avro.values import Cursor, Reader, reader_of

_CHUNK_ROWS = 20_000
_CHUNK_BYTES = 16 * 2**20
_INT64 = range(-(2**63), 2**63)
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


def fast_scanned(files: Sequence[AvroFile]) -> Decoded:
    """Return the rows of ordinary files of one schema, in the order given; computing them may raise NotFastError."""
    fields = [_field(name, kind) for name, kind in files[0].fields]
    sources = _sources(fields)

    def frames() -> Iterator[pl.DataFrame]:
        for read in fast_frames(files):
            yield read.select(_column_of(read, place, field, sources[field.name]) for place, field in enumerate(fields))

    return Decoded(_lazy(frames, sources), sources)


def tolerantly_scanned(file: AvroFile) -> Decoded:
    """Return the rows of any Avro file of records, in order; computing them may raise UnreadableFileError."""
    fields = [_field(name, kind) for name, kind in file.fields]
    sources = _sources(fields)
    schema = _schema(sources)

    def frames() -> Iterator[pl.DataFrame]:
        for chunk, height in _chunks(file, fields):
            yield pl.DataFrame(chunk, schema=schema, height=None if schema else height)

    return Decoded(_lazy(frames, sources), sources)


def _lazy(frames: Any, sources: Sources) -> pl.LazyFrame:
    def source(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        rest = n_rows
        for read in frames():
            frame = read if with_columns is None else read.select(with_columns)
            if predicate is not None:
                frame = frame.filter(predicate)
            if rest is not None:
                frame = frame.head(rest)
                rest -= frame.height
            yield frame
            if rest == 0:
                return

    return register_io_source(source, schema=_schema(sources), is_pure=True)


def _sources(fields: Sequence[_Field]) -> Sources:
    return {
        field.name: {value_type: f"{place}.{value_type}" for value_type in field.types}
        for place, field in enumerate(fields)
    }


def _schema(sources: Sources) -> dict[str, pl.DataType]:
    return {column: value_type.polars for types in sources.values() for value_type, column in types.items()}


def _column_of(read: pl.DataFrame, place: int, field: _Field, types: Mapping[ValueType, str]) -> pl.Expr:
    """Return a field's column of those that the fast reader has read, in the type of the frame."""
    ((value_type, name),) = types.items()
    came_as = f"f{place}"
    if came_as not in read.columns:  # of the type null
        return pl.lit(None, dtype=value_type.polars).alias(name)
    value = pl.col(came_as)
    units = field.units_per_second
    if units is not None:
        factor = 10**6 // units
        most = (2**63 - 1) // max(factor, 1)
        value = pl.when(value.is_between(-most, most)).then(value * factor) if factor else value // (units // 10**6)
    return value.cast(value_type.polars).alias(name)


def _chunks(file: AvroFile, fields: list[_Field]) -> Iterator[tuple[dict[str, list[Any]], int]]:
    columns = [(f"{place}.{kind}", place, kind) for place, field in enumerate(fields) for kind in field.types]
    readers = [reader_of(kind) for _, kind in file.fields]
    fewest = sum(fewest_bytes(kind) for _, kind in file.fields)
    values: dict[str, list[Any]] = {column: [] for column, _, _ in columns}
    height = size = 0
    for block in inflated_blocks(file.path, file.codec, file.blocks_at):
        size += block.size
        for record in _records(block, readers, fewest):
            for column, place, kind in columns:
                found, value = record[place]
                belongs = found is kind or (kind is ValueType.TIME and found is ValueType.LONG)
                values[column].append(_scaled(value, fields[place]) if belongs else None)
            height += 1
            if height == _CHUNK_ROWS:
                yield values, height
                values, height = {column: [] for column in values}, 0
        if size >= _CHUNK_BYTES:
            yield values, height
            values, height, size = {column: [] for column in values}, 0, 0
    yield values, height


def _records(block: Block, readers: Sequence[Reader], fewest: int) -> Iterator[list[tuple[ValueType | None, Any]]]:
    """Yield the typed values of each row of a block, and raise if these are not all of its bytes."""
    declared = f"{block.rows:,} {'row' if block.rows == 1 else 'rows'}"
    where = f"is damaged: the block at byte {block.at}, which declares {declared}"
    if block.rows * fewest > block.size:
        raise UnreadableFileError(f"{where}, has {block.size:,} bytes, too few for them")
    cursor = Cursor(b"".join(block.pieces))
    try:
        for _ in range(block.rows):
            yield [typed(read(cursor)) for read in readers]
    except UnreadableFileError as error:
        raise UnreadableFileError(f"{where}: {error}") from error
    except RecursionError as error:
        raise UnreadableFileError(f"{where}: a value is nested too deep") from error
    if cursor.at != cursor.end:
        raise UnreadableFileError(f"{where}, has {cursor.end - cursor.at:,} bytes more than they take")


def _scaled(value: Any, field: _Field) -> Any:
    """Return a timestamp's number as microseconds, which Datetime("us") is made of; null if they are too many."""
    units = field.units_per_second
    if units is None or not isinstance(value, int):
        return value
    micros = value * (10**6 // units) if units <= 10**6 else value // (units // 10**6)
    return micros if micros in _INT64 else None


def _field(name: str, avro_type: AvroType) -> _Field:
    types: dict[ValueType, None] = {}
    units = None
    for branch in _branches(avro_type):
        match branch:
            case Primitive(name="null"):
                continue
            case Primitive(name="long", logical=logical) if logical in TIME_UNITS_PER_SECOND:
                units = TIME_UNITS_PER_SECOND[logical]
                types[ValueType.TIME] = None
            case Primitive(name=kind, logical=logical) if (kind, logical) not in WRITTEN_OUT:
                types[_BRANCHES.get(kind, ValueType.TEXT)] = None
            case _:
                types[ValueType.TEXT] = None
    return _Field(name, tuple(types) or (ValueType.TEXT,), units)


def _branches(avro_type: AvroType) -> list[AvroType]:
    """Return each type that values can have, of unions in unions too."""
    if isinstance(avro_type, Union):
        return [branch for part in avro_type.branches for branch in _branches(part)]
    return [avro_type]


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
        case date() | datetime() | time():
            stored = value.isoformat()
        case list() | dict() | tuple():
            stored = json.dumps(value, default=str, ensure_ascii=False)
        case _:
            stored = str(value)
    return kind, stored
