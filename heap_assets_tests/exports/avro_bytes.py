"""Avro files made byte by byte, also such as no writer makes.

Here: containers and values as bytes. Not here: ordinary files (writer.py).
"""

import bz2
import json
import struct
import sys
import zlib
from typing import Any

import cramjam

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODECS = ("null", "deflate", "snappy", "zstandard", "bzip2")
MARKER = b"heap-sync-marker"


def number(value: int) -> bytes:
    """Return a number as Avro writes it."""
    rest, encoded = ((value << 1) ^ (value >> 63)) & (2**64 - 1), bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest])


def sized(content: bytes | str) -> bytes:
    """Return a text or bytes behind their length."""
    plain = content.encode() if isinstance(content, str) else content
    return number(len(plain)) + plain


def double(value: float) -> bytes:
    """Return a double."""
    return struct.pack("<d", value)


def header(schema: Any, codec: str = "null") -> bytes:
    """Return the header of a file; a schema that is not text is written as JSON."""
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return (
        b"Obj\x01"
        + number(2)
        + sized("avro.schema")
        + sized(text)
        + sized("avro.codec")
        + sized(codec)
        + b"\0"
        + MARKER
    )


def deflated(rows: bytes) -> bytes:
    """Return a raw stream of deflate."""
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(rows) + stream.flush()


def compressed(rows: bytes, codec: str) -> bytes:
    """Return a block's rows as its codec has them."""
    match codec:
        case "deflate":
            return deflated(rows)
        case "snappy":
            return bytes(cramjam.snappy.compress_raw(rows)) + zlib.crc32(rows).to_bytes(4, "big")
        case "zstandard":
            return zstd.compress(rows)
        case "bzip2":
            return bz2.compress(rows)
    return rows


def block(count: int, rows: bytes, codec: str = "null") -> bytes:
    """Return a block that declares so many rows."""
    return stored_block(count, compressed(rows, codec))


def stored_block(count: int, data: bytes) -> bytes:
    """Return a block of bytes that are compressed already."""
    return number(count) + sized(data) + MARKER


def record(*fields: tuple[str, Any], **more: Any) -> dict:
    """Return the schema of a record."""
    return {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in fields], **more}
