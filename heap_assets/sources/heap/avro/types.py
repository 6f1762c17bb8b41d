"""What an Avro schema declares, as types whose names are resolved: each means what the file says, and nothing else.

Here: declarations, and what is wrong with them. Not here: values of these types (values.py), which column a value
belongs to (tolerant.py).
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from heap_assets.errors import UnreadableFileError

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_FEWEST_BYTES = {"null": 0, "float": 4, "double": 8}
_MOST_DIGITS = 1_000


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type of Avro's own; ``logical`` is what the declaration says that its values stand for, else empty."""

    name: str
    logical: str = ""
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Enum:
    """One of some texts, whatever these look like; a default is for readers of another schema."""

    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """As many bytes as declared."""

    size: int
    logical: str = ""
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Array:
    """Any number of items."""

    items: "AvroType"


@dataclass(frozen=True, slots=True)
class Map:
    """Any number of texts, each with a value."""

    values: "AvroType"


@dataclass(frozen=True, slots=True)
class Union:
    """One of some types."""

    branches: "tuple[AvroType, ...]"


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Named values in order; a record may hold records of its own type, so ``fields`` are filled in last."""

    name: str
    fields: "list[tuple[str, AvroType]]" = field(default_factory=list)


AvroType = Primitive | Enum | Fixed | Array | Map | Union | Record


def table_fields(schema_text: str) -> list[tuple[str, AvroType]]:
    """Return the fields of the record that a file declares, in order.

    Raises:
        UnreadableFileError: The schema is not JSON, not a record, or declares what Avro does not have; says which.
    """
    try:
        declared = json.loads(schema_text)
        json.dumps(declared, ensure_ascii=False).encode()  # half of a surrogate pair is not text
        while isinstance(declared, dict) and isinstance(declared.get("type"), dict):
            declared = declared["type"]
        if not isinstance(declared, dict) or declared.get("type") != "record":
            raise UnreadableFileError(f"declares {schema_text[:80]}, but a table is an Avro record")
        record = _Declarations().type_of(declared, "")
    except ValueError as error:
        raise UnreadableFileError(f"declares a schema that is not JSON ({error})") from error
    except RecursionError as error:
        raise UnreadableFileError(f"declares a schema that is not JSON that could be read ({error})") from error
    fields = record.fields if isinstance(record, Record) else []
    for name, times in Counter(name for name, _ in fields).most_common(1):
        if times > 1:
            raise UnreadableFileError(f"declares the field {name!r} {times} times")
    return fields


def fewest_bytes(avro_type: AvroType) -> int:
    """Return how many bytes a value of this type takes at least; what a record holds of itself counts as nothing."""
    return _fewest(avro_type, {})


def _fewest(avro_type: AvroType, records: dict[int, int]) -> int:
    match avro_type:
        case Primitive(name=name):
            return _FEWEST_BYTES.get(name, 1)
        case Fixed(size=size):
            return size
        case Union(branches=branches):
            return 1 + min(_fewest(branch, records) for branch in branches)
        case Record(fields=fields):
            if id(avro_type) not in records:  # each once: records of records could be 2 to the 40 fields
                records[id(avro_type)] = 0
                records[id(avro_type)] = sum(_fewest(kind, records) for _, kind in fields)
            return records[id(avro_type)]
        case _:
            return 1


class _Declarations:
    """The named types of one schema, from the places where they are declared on."""

    def __init__(self) -> None:
        self._named: dict[str, AvroType] = {}

    def type_of(self, declared: Any, namespace: str, logical: Mapping[str, Any] | None = None) -> AvroType:
        """Return the type of a declaration; ``logical`` is the declaration around it, which may say what it means."""
        if isinstance(declared, list):
            if not declared:
                raise UnreadableFileError("declares a union of no types")
            return Union(tuple(self.type_of(branch, namespace) for branch in declared))
        if isinstance(declared, dict):
            if "type" not in declared:
                raise UnreadableFileError(f"declares {_shown(declared)}, which has no type")
            name = declared["type"]
            about = declared if "logicalType" in declared or logical is None else logical
            if isinstance(name, str) and name in _COMPOUND:
                return _COMPOUND[name](self, declared, namespace, about)
            return self.type_of(name, namespace, about)
        if not isinstance(declared, str):
            raise UnreadableFileError(f"declares {_shown(declared)} as a type")
        if declared in PRIMITIVES:
            meaning = _logical(logical or {}) if logical else ("", 0)
            return Primitive(declared, *meaning)
        full = f"{namespace}.{declared}" if namespace and "." not in declared else declared
        known = self._named.get(full, self._named.get(declared))
        if known is None:
            raise UnreadableFileError(f"declares a value of the type {declared[:80]!r}, which it does not define")
        return known

    def record(self, declared: Mapping[str, Any], namespace: str, _: Mapping[str, Any]) -> AvroType:
        """Return a record; its own name stands for it within its fields."""
        full = _full_name(declared, namespace)
        record = Record(full)
        self._named[full] = record
        fields = declared.get("fields")
        if not isinstance(fields, list):
            raise UnreadableFileError(f"declares {_shown(declared)}, but a table is an Avro record, which has fields")
        for one in fields:
            if not (isinstance(one, dict) and one.get("name") and isinstance(one["name"], str) and "type" in one):
                raise UnreadableFileError(f"declares {_shown(one)} as a field, but a field has a name and a type")
            # a logical type beside the field's type says nothing: it belongs into the type
            record.fields.append((one["name"], self.type_of(one["type"], full.rpartition(".")[0])))
        return record

    def enum(self, declared: Mapping[str, Any], namespace: str, _: Mapping[str, Any]) -> AvroType:
        """Return an enum."""
        symbols = declared.get("symbols")
        if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
            raise UnreadableFileError(f"declares {_shown(declared)}, but an enum has texts as its symbols")
        return self._known_as(declared, namespace, Enum(tuple(symbols)))

    def fixed(self, declared: Mapping[str, Any], namespace: str, about: Mapping[str, Any]) -> AvroType:
        """Return a type of so many bytes."""
        size = declared.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise UnreadableFileError(f"declares {_shown(declared)}, but a fixed has a number of bytes as its size")
        return self._known_as(declared, namespace, Fixed(size, *_logical(about)))

    def array(self, declared: Mapping[str, Any], namespace: str, _: Mapping[str, Any]) -> AvroType:
        """Return an array."""
        if "items" not in declared:
            raise UnreadableFileError(f"declares {_shown(declared)}, but an array has a type of its items")
        return Array(self.type_of(declared["items"], namespace))

    def map(self, declared: Mapping[str, Any], namespace: str, _: Mapping[str, Any]) -> AvroType:
        """Return a map."""
        if "values" not in declared:
            raise UnreadableFileError(f"declares {_shown(declared)}, but a map has a type of its values")
        return Map(self.type_of(declared["values"], namespace))

    def _known_as(self, declared: Mapping[str, Any], namespace: str, known: AvroType) -> AvroType:
        self._named[_full_name(declared, namespace)] = known
        return known


_COMPOUND = {
    "record": _Declarations.record,
    "error": _Declarations.record,
    "enum": _Declarations.enum,
    "fixed": _Declarations.fixed,
    "array": _Declarations.array,
    "map": _Declarations.map,
}


def _full_name(declared: Mapping[str, Any], namespace: str) -> str:
    """Return the name by which other declarations can mean this one; a name with dots has its namespace in it."""
    name, own = declared.get("name", ""), declared.get("namespace", namespace)
    if not isinstance(name, str) or not isinstance(own, str):
        raise UnreadableFileError(f"declares {_shown(declared)}, but names and namespaces are texts")
    return f"{own}.{name}" if own and "." not in name else name


def _logical(declared: Mapping[str, Any]) -> tuple[str, int]:
    """Return the logical type and its scale; a decimal that cannot be is what Avro says: the plain type."""
    name, scale = declared.get("logicalType", ""), declared.get("scale", 0)
    if not isinstance(name, str):
        return "", 0
    if name != "decimal":
        return name, 0
    fits = isinstance(scale, int) and not isinstance(scale, bool) and 0 <= scale <= _MOST_DIGITS
    return (name, scale) if fits else ("", 0)


def _shown(declared: object) -> str:
    return json.dumps(declared, ensure_ascii=False)[:80]
