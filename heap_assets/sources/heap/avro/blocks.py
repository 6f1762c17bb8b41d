"""The blocks of an Avro file: where they are, and what is in them, inflated within limits.

Here: containers and codecs, every byte of them accounted for. Not here: the header (survey.py), rows (fast.py,
tolerant.py).
Limits, so that memory and time follow the input: a block may inflate to 128 MiB, or to 64 times its size up to 512 MiB.
"""

import bz2
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import cramjam

from heap_assets.errors import UnreadableFileError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MIB = 2**20
SYNC_LENGTH = 16
_ALWAYS_BYTES = 128 * MIB
_MOST_BYTES = 512 * MIB
_MOST_TIMES = 64
_AT_A_TIME = 4 * MIB
_SNAPPY_SUM = 4
_BROKEN = (
    zlib.error,
    lzma.LZMAError,
    zstd.ZstdError,
    cramjam.DecompressionError,
    OSError,  # bzip2 has no error of its own
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A block as its header tells: ``at`` is its first byte, ``begin`` that of its data, both from the file's start."""

    at: int
    begin: int
    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block's rows, inflated, in as many pieces as they came."""

    at: int
    rows: int
    pieces: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Return how many bytes the rows have."""
        return sum(map(len, self.pieces))


def spans(file: BinaryIO, length: int, sync: bytes) -> Iterator[Span]:
    """Walk over the blocks by their lengths from where the file stands; each is given before its data is read.

    Raises:
        UnreadableFileError: A block does not end in the sync marker, or not within the file.
    """
    while (at := file.tell()) < length:
        rows = number(file)
        size = number(file)
        begin = file.tell()
        if rows < 0 or size < 0 or begin + size + SYNC_LENGTH > length:
            raise UnreadableFileError(f"is cut short: the block at byte {at} does not end within its {length} bytes")
        yield Span(at, begin, rows, size)
        file.seek(begin + size)
        if file.read(SYNC_LENGTH) != sync:
            raise UnreadableFileError(f"is damaged: the block at byte {at} does not end where it says")


def number(file: BinaryIO) -> int:
    """Read one of Avro's variable-length numbers."""
    shifted, shift = 0, 0
    while True:
        byte = file.read(1)
        if not byte or shift > 63:  # noqa: PLR2004
            raise UnreadableFileError("is cut short" if not byte else "is damaged: a number does not end")
        shifted |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:  # noqa: PLR2004
            return (shifted >> 1) ^ -(shifted & 1)
        shift += 7


def inflated_blocks(path: Path, codec: str, blocks_at: int) -> Iterator[Block]:
    """Yield the blocks of a file with rows or bytes in them.

    Raises:
        UnreadableFileError: A block is damaged, has bytes that nothing accounts for, or is beyond the limits; says
            which one.
    """
    with path.open("rb") as file:
        length = path.stat().st_size
        file.seek(blocks_at - SYNC_LENGTH)
        sync = file.read(SYNC_LENGTH)
        for span in spans(file, length, sync):
            most = min(_MOST_BYTES, max(_ALWAYS_BYTES, _MOST_TIMES * span.size))
            if span.size > most:
                raise _too_large(span, most)
            data = file.read(span.size)
            if data or span.rows:
                yield Block(span.at, span.rows, _inflated(data, codec, span, most))


def _inflated(data: bytes, codec: str, span: Span, most: int) -> tuple[bytes, ...]:
    if codec == "null":
        return (data,)
    if not data and not span.rows:  # no rows need no stream
        return ()
    pieces, left = [], most
    try:
        if codec == "snappy" and cramjam.snappy.decompress_raw_len(data[:-_SNAPPY_SUM]) > most:
            raise _too_large(span, most)
        for piece in _CODECS[codec](data):
            left -= len(piece)
            if left < 0:
                raise _too_large(span, most)
            pieces.append(piece)
    except (*_BROKEN, EOFError) as error:
        raise UnreadableFileError(f"is damaged: the block at byte {span.at} is not {codec} ({error})") from error
    return tuple(pieces)


def _too_large(span: Span, most: int) -> UnreadableFileError:
    return UnreadableFileError(
        f"has {span.size:,} bytes in the block at byte {span.at} that inflate to more than {most // MIB} MiB,"
        " the most that a block of this size may have"
    )


def _deflate(data: bytes) -> Iterator[bytes]:
    """Deflate has no checksum; Avro's own Python writer and fastavro leave three of zlib's four bytes behind it."""
    stream, rest, found = zlib.decompressobj(-zlib.MAX_WBITS), data, zlib.adler32(b"")
    while not stream.eof:
        piece = stream.decompress(rest, _AT_A_TIME)
        if not piece and not stream.eof:
            raise EOFError("it ends too early")
        rest = stream.unconsumed_tail
        found = zlib.adler32(piece, found) if not stream.eof or stream.unused_data else found
        yield piece
    behind = stream.unused_data
    if behind not in {b"", *(found.to_bytes(4, "big")[:length] for length in (3, 4))}:
        raise ValueError(f"{len(behind):,} bytes follow its end")


def _snappy(data: bytes) -> Iterator[bytes]:
    """Snappy says first how long it becomes, and nothing may follow but a checksum of what it became."""
    rows, declared_sum = data[:-_SNAPPY_SUM], data[-_SNAPPY_SUM:]
    piece = bytes(cramjam.snappy.decompress_raw(rows))
    if zlib.crc32(piece) != int.from_bytes(declared_sum, "big"):
        raise ValueError("its checksum is another one")
    yield piece


class _Stream(Protocol):
    """What the streams of the other codecs have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def _streamed(new: Callable[[], _Stream]) -> Callable[[bytes], Iterator[bytes]]:
    """Return the codec of a stream that may follow another one."""

    def pieces(data: bytes) -> Iterator[bytes]:
        while True:
            stream, rest = new(), data
            while not stream.eof:
                piece = stream.decompress(rest, _AT_A_TIME)
                if not piece and not stream.eof:
                    raise EOFError("it ends too early")
                rest = b""
                yield piece
            data = stream.unused_data
            if not data:
                return

    return pieces


_CODECS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "deflate": _deflate,
    "snappy": _snappy,
    "bzip2": _streamed(bz2.BZ2Decompressor),
    "zstandard": _streamed(cast("Callable[[], _Stream]", zstd.ZstdDecompressor)),
    "xz": _streamed(lambda: lzma.LZMADecompressor(memlimit=_MOST_BYTES)),
}
CODECS = frozenset({"null", *_CODECS})
"""The codecs that are known here."""
