"""An Avro file read slowly by the letter of the specification: every byte is accounted for, or the file is refused.

Here: containers, codecs, schemas and values; written from the specification alone. Not here: what becomes of columns.
"""

import bz2
import json
import struct
import sys
import zlib
from decimal import Decimal

import cramjam

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")


class Refused(Exception):  # noqa: N818 (a state of the file, told to tests by this name)
    """The file is not what the specification says."""


class Bytes:
    """Bytes that are taken from the front."""

    def __init__(self, content: bytes):
        self.left = content

    def take(self, size: int) -> bytes:
        if size < 0 or size > len(self.left):
            raise Refused(f"{size} bytes of {len(self.left)}")
        taken, self.left = self.left[:size], self.left[size:]
        return taken

    def long(self) -> int:
        value = 0
        for place in range(10):
            (byte,) = self.take(1)
            value += (byte % 128) * 128**place
            if byte < 128:
                break
        else:
            raise Refused("more than ten bytes")
        number = value // 2 if value % 2 == 0 else -(value // 2) - 1
        if not -(2**63) <= number < 2**63:
            raise Refused("more than 64 bits")
        return number


def read(content: bytes) -> tuple[list[str], list[list[object]]]:  # noqa: C901 (a container, from front to back)
    """Return the names of a file's fields and its rows; raise Refused if it is not an Avro file of records."""
    file = Bytes(content)
    if file.take(4) != b"Obj\x01":
        raise Refused("magic")
    metadata = {}
    while count := file.long():
        if count < 0:
            count, _ = -count, file.long()
        for _ in range(count):
            key = file.take(file.long())
            metadata[key] = file.take(file.long())
    sync = file.take(16)
    try:
        schema = json.loads(metadata[b"avro.schema"])
        codec = metadata.get(b"avro.codec", b"null").decode()
        named: dict = {}
        known = resolved(schema, "", named)
        fields = [(field["name"], field["type"]) for field in known["fields"]]
        if known["type"] != "record" or not all(name and isinstance(name, str) for name, _ in fields):
            raise Refused("not a table")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused("schema") from error
    rows = []
    while file.left:
        count, size = file.long(), file.long()
        if count < 0:
            raise Refused("rows")
        data, marker = file.take(size), file.take(16)
        if marker != sync:
            raise Refused("sync")
        block = Bytes(inflated(data, codec) if data or count else b"")
        rows += [[value(kind, block) for _, kind in fields] for _ in range(count)]
        if block.left:
            raise Refused("bytes are left")
    return [name for name, _ in fields], rows


def resolved(declared: object, space: str, named: dict) -> object:  # noqa: PLR0911 (kind by kind)
    """Return a declaration with its names put in full; ``named`` collects what is declared under them."""
    if isinstance(declared, list):
        return [resolved(branch, space, named) for branch in declared]
    if isinstance(declared, str):
        if declared in PRIMITIVES:
            return {"type": declared}
        full = declared if "." in declared or not space else f"{space}.{declared}"
        return {"type": "named", "of": named, "name": full if full in named else named[declared] and declared}
    kind = declared["type"]
    if kind in ("enum", "fixed", "record"):
        own = declared.get("name", "")
        within = own.rpartition(".")[0] if "." in own else declared.get("namespace", space)
        full = own if "." in own or not within else f"{within}.{own}"
        known = named[full] = dict(declared)
        if kind == "record":
            known["fields"] = [
                {"name": field["name"], "type": resolved(field["type"], within, named)} for field in declared["fields"]
            ]
        return known
    if kind == "array":
        return {**declared, "items": resolved(declared["items"], space, named)}
    if kind == "map":
        return {**declared, "values": resolved(declared["values"], space, named)}
    return dict(declared) if isinstance(kind, str) and kind in PRIMITIVES else resolved(kind, space, named)


def inflated(data: bytes, codec: str) -> bytes:  # noqa: C901 (codec by codec)
    try:
        match codec:
            case "null":
                return data
            case "deflate":
                stream = zlib.decompressobj(-15)
                content = stream.decompress(data) + stream.flush()
                adler = zlib.adler32(content).to_bytes(4, "big")
                if not stream.eof or stream.unused_data not in (b"", adler[:3], adler):
                    raise Refused("deflate")
                return content
            case "snappy":
                content = bytes(cramjam.snappy.decompress_raw(data[:-4]))
                if zlib.crc32(content).to_bytes(4, "big") != data[-4:]:
                    raise Refused("checksum")
                return content
            case "zstandard":
                return zstd.decompress(data)
            case "bzip2":
                content = b""
                while True:
                    stream = bz2.BZ2Decompressor()
                    content += stream.decompress(data)
                    if not stream.eof:
                        raise Refused("bzip2")
                    data = stream.unused_data
                    if not data:
                        return content
    except (zlib.error, OSError, EOFError, ValueError, zstd.ZstdError, cramjam.DecompressionError) as error:
        raise Refused(codec) from error
    raise Refused(codec)


def value(kind: object, block: Bytes) -> object:  # noqa: C901, PLR0911, PLR0912 (the specification, type by type)
    """Return one value, as a table shows it: text for everything but numbers and flags."""
    if isinstance(kind, list):
        branch = block.long()
        if not 0 <= branch < len(kind):
            raise Refused("branch")
        return value(kind[branch], block)
    logical = kind.get("logicalType")
    match kind["type"]:
        case "named":
            return value(kind["of"][kind["name"]], block)
        case "null":
            return None
        case "boolean":
            (flag,) = block.take(1)
            if flag > 1:
                raise Refused("flag")
            return flag == 1
        case "int":
            number = block.long()
            if not -(2**31) <= number < 2**31:
                raise Refused("int")
            return number
        case "long":
            return block.long()
        case "float":
            return struct.unpack("<f", block.take(4))[0]
        case "double":
            return struct.unpack("<d", block.take(8))[0]
        case "string":
            try:
                return block.take(block.long()).decode()
            except UnicodeDecodeError as error:
                raise Refused("text") from error
        case "bytes":
            return shown(block.take(block.long()), logical, kind)
        case "fixed":
            return shown(block.take(kind["size"]), logical, kind)
        case "enum":
            place = block.long()
            if not 0 <= place < len(kind["symbols"]):
                raise Refused("symbol")
            return kind["symbols"][place]
        case "record":
            return {field["name"]: value(field["type"], block) for field in kind["fields"]}
        case "array":
            return [value(kind["items"], block) for _ in counted(block)]
        case "map":
            return {value({"type": "string"}, block): value(kind["values"], block) for _ in counted(block)}
    raise Refused(str(kind))


def counted(block: Bytes):
    """Yield once for each item of an array or map."""
    while count := block.long():
        if count < 0:
            count = -count
            block_size = block.long()
            if not 0 <= block_size <= len(block.left):
                raise Refused("items")
        if count > len(block.left):
            raise Refused("more items than bytes")
        yield from range(count)


def shown(content: bytes, logical: object, kind: dict) -> str:
    if logical != "decimal":
        return content.decode("utf-8", "backslashreplace")
    exact = Decimal(int.from_bytes(content, "big", signed=True))
    text = f"{Decimal((exact.is_signed(), exact.as_tuple().digits, -kind.get('scale', 0))):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
