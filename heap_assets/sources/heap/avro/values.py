"""Values out of the bytes of a block, one by one and strictly: what Avro does not have is an error that says where.

Here: readers of the types of types.py. Not here: which column a value belongs to (tolerant.py).
Not fastavro: it passes over bytes that are left, tags before the first branch and flags other than 0 and 1, and refuses
symbols and names that files in use have.
"""

import struct
from collections.abc import Callable
from typing import Any

from heap_assets.errors import UnreadableFileError
from heap_assets.sources.heap.avro.text import MOMENTS, WRITTEN_OUT, moment, plain_digits, text_of
from heap_assets.sources.heap.avro.types import (
    Array,
    AvroType,
    Enum,
    Fixed,
    Map,
    Primitive,
    Record,
    Union,
    fewest_bytes,
)

MOST_VALUE_BYTES = 64 * 2**20
"""The most that one value may have."""
MOST_EMPTY = 100_000
"""How many rows or items that take no bytes a file and a block may have."""
_INT32, _INT64 = range(-(2**31), 2**31), range(-(2**63), 2**63)
_FLOAT, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")


class Cursor:
    """The bytes of one block's rows, and how far they are read."""

    __slots__ = ("at", "data", "end", "spare")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)
        self.spare = MOST_EMPTY

    def number(self) -> int:
        """Read a variable-length number of at most 64 bits."""
        shifted, shift, at, data = 0, 0, self.at, self.data
        while True:
            if at == self.end:
                raise UnreadableFileError("its rows need more bytes than the block has")
            byte = data[at]
            at += 1
            shifted |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004
                break
            shift += 7
            if shift > 63:  # noqa: PLR2004
                raise UnreadableFileError(f"a number does not end at byte {at:,} of the block")
        self.at = at
        value = (shifted >> 1) ^ -(shifted & 1)
        if value not in _INT64:
            raise UnreadableFileError(f"a number of more than 64 bits ends at byte {at:,} of the block")
        return value

    def take(self, size: int) -> bytes:
        """Read so many bytes."""
        at = self.at
        if not 0 <= size <= self.end - at:
            raise UnreadableFileError(f"a value says that it has {size:,} bytes at byte {at:,} of {self.end:,}")
        if size > MOST_VALUE_BYTES:
            raise UnreadableFileError(f"a value has {size:,} bytes, the most is {MOST_VALUE_BYTES:,}")
        self.at = at + size
        return self.data[at : self.at]

    def sized(self) -> bytes:
        """Read bytes behind their number."""
        return self.take(self.number())

    def counted(self, fewest: int, begin: int) -> int:
        """Read how many items of an array or map follow; 0 is its end. A negative number tells their bytes, too."""
        count = self.number()
        if count < 0:
            count, size = -count, self.number()
            if not 0 <= size <= self.end - self.at:
                raise UnreadableFileError(
                    f"items say that they have {size:,} bytes at byte {self.at:,} of {self.end:,}"
                )
        if count * fewest > self.end - self.at:
            raise UnreadableFileError(f"{count:,} items are declared at byte {self.at:,} of {self.end:,}")
        if not fewest:
            self.spend(count)
        if self.at - begin > MOST_VALUE_BYTES:
            raise UnreadableFileError(f"a value has more than {MOST_VALUE_BYTES:,} bytes, which is the most")
        return count

    def spend(self, values: int) -> None:
        """Count values that take no bytes: nothing else bounds them."""
        self.spare -= values
        if self.spare < 0:
            raise UnreadableFileError(f"more than {MOST_EMPTY:,} values of a block take no bytes")


Reader = Callable[[Cursor], Any]


def reader_of(avro_type: AvroType) -> Reader:
    """Return the reader of a field's values; timestamps stay numbers, unless they are within a list, map or record."""
    return _Readers().reader(avro_type, nested=False)


class _Readers:
    """The readers of one type and of those within it."""

    def __init__(self) -> None:
        self._records: dict[int, list[tuple[str, Reader]]] = {}

    def reader(self, avro_type: AvroType, *, nested: bool) -> Reader:  # noqa: PLR0911 (a return for each kind of type)
        match avro_type:
            case Primitive():
                return _primitive(avro_type, nested=nested)
            case Enum(symbols=symbols):
                return _enum(symbols)
            case Fixed():
                return _fixed(avro_type)
            case Union(branches=branches):
                return _union([self.reader(branch, nested=nested) for branch in branches])
            case Array(items=items):
                return _array(self.reader(items, nested=True), fewest_bytes(items))
            case Map(values=values):
                return _map(self.reader(values, nested=True), 1 + fewest_bytes(values))
            case Record():
                return self._record(avro_type)

    def _record(self, record: Record) -> Reader:
        fields = self._records.get(id(record))
        if fields is None:  # a record within itself finds the list that is filled below
            fields = self._records[id(record)] = []
            fields.extend((name, self.reader(kind, nested=True)) for name, kind in record.fields)
        empty = not fewest_bytes(record)

        def read(cursor: Cursor) -> dict[str, Any]:
            if empty:
                cursor.spend(1)
            return {name: read(cursor) for name, read in fields}

        return read


def _fixed(fixed: Fixed) -> Reader:
    if fixed.logical == "decimal":
        return lambda cursor: plain_digits(cursor.take(fixed.size), fixed.scale)
    return lambda cursor: text_of(cursor.take(fixed.size))


def _primitive(primitive: Primitive, *, nested: bool) -> Reader:
    name, logical = primitive.name, primitive.logical
    if name == "bytes" and logical == "decimal":
        return lambda cursor: plain_digits(cursor.sized(), primitive.scale)
    plain = _PRIMITIVES[name]
    written = WRITTEN_OUT.get((name, logical))
    if nested and name == "long" and logical in MOMENTS:
        written = moment(logical)
    return plain if written is None else lambda cursor: written(plain(cursor))


def _boolean(cursor: Cursor) -> bool:
    (byte,) = cursor.take(1)
    if byte > 1:
        raise UnreadableFileError(f"a flag is {byte} at byte {cursor.at - 1:,} of the block, neither 0 nor 1")
    return byte == 1


def _int(cursor: Cursor) -> int:
    value = cursor.number()
    if value not in _INT32:
        raise UnreadableFileError(f"an int is {value:,} before byte {cursor.at:,} of the block")
    return value


def _string(cursor: Cursor) -> str:
    at = cursor.at
    try:
        return cursor.sized().decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"a text at byte {at:,} of the block is not UTF-8") from error


_PRIMITIVES: dict[str, Reader] = {
    "null": lambda _: None,
    "boolean": _boolean,
    "int": _int,
    "long": Cursor.number,
    "float": lambda cursor: _FLOAT.unpack(cursor.take(4))[0],
    "double": lambda cursor: _DOUBLE.unpack(cursor.take(8))[0],
    "bytes": lambda cursor: text_of(cursor.sized()),
    "string": _string,
}


def _enum(symbols: tuple[str, ...]) -> Reader:
    def read(cursor: Cursor) -> str:
        place = cursor.number()
        if not 0 <= place < len(symbols):
            raise UnreadableFileError(f"an enum has {len(symbols)} symbols, and a value says {place:,}")
        return symbols[place]

    return read


def _union(branches: list[Reader]) -> Reader:
    def read(cursor: Cursor) -> Any:
        branch = cursor.number()
        if not 0 <= branch < len(branches):
            raise UnreadableFileError(
                f"a union has {len(branches)} types, and the value before byte {cursor.at:,} says {branch:,}"
            )
        return branches[branch](cursor)

    return read


def _array(item: Reader, fewest: int) -> Reader:
    def read(cursor: Cursor) -> list[Any]:
        begin, found = cursor.at, []
        while count := cursor.counted(fewest, begin):
            found.extend([item(cursor) for _ in range(count)])
        return found

    return read


def _map(value: Reader, fewest: int) -> Reader:
    def read(cursor: Cursor) -> dict[str, Any]:
        begin, found = cursor.at, {}
        while count := cursor.counted(fewest, begin):
            for _ in range(count):
                key = _string(cursor)
                found[key] = value(cursor)
        return found

    return read
