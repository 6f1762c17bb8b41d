"""The fast reader: ordinary Avro files of one schema as frames, every byte accounted for.

Here: how polars_avro is fed. Not here: the proof that what it read is what the bytes say (proof.py), files that it
refuses (tolerant.py), codecs and limits (blocks.py).
Given a block of more bytes than its rows need, polars_avro spins for ever and cannot be stopped; it takes any tag for
"not null" and any flag for true. So it never sees the file: it is handed inflated blocks of at most 32,768 rows, with
room for rows without end but asked for as many as declared.
"""

import io
import json
from collections.abc import Iterator, Sequence

import polars as pl
import polars_avro
from polars_avro._avro_rs import AvroSource  # pinned in pyproject.toml: its batches are asked for one by one
from polars_avro._source import seekable_factory

from heap_assets.errors import UnreadableFileError
from heap_assets.sources.heap.avro.blocks import Block, inflated_blocks
from heap_assets.sources.heap.avro.proof import Column, NotFastError, Proof
from heap_assets.sources.heap.avro.survey import MAGIC, AvroFile
from heap_assets.sources.heap.avro.types import AvroType, Primitive, Union

_BATCH_ROWS = 32_768
_BATCH_BYTES = 32 * 2**20
_ROOM = 2**62
_SYNC = bytes(16)


def fast_frames(files: Sequence[AvroFile]) -> Iterator[pl.DataFrame]:
    """Yield the rows of ordinary files of one schema in order; column ``f<n>`` has the field at place n, from 0.

    A field of the type null has no column.

    Raises:
        NotFastError: A row or a byte is not what the files declare, or the reader takes it for that.
    """
    columns = [_column(place, kind) for place, (_, kind) in enumerate(files[0].fields)]
    layout = [column for column in columns if column is not None]
    try:
        for blocks in _batches(block for file in files for block in _of(file)):
            yield from _decoded(blocks, layout)
    except (UnreadableFileError, polars_avro.AvroError, pl.exceptions.PanicException) as error:
        raise NotFastError(str(error)) from error


def _of(file: AvroFile) -> Iterator[Block]:
    return inflated_blocks(file.path, file.codec, file.blocks_at)


def _column(place: int, kind: AvroType) -> Column | None:
    """Return the column of a field of a simple type (avro.simple_type)."""
    match kind:
        case Primitive(name="null"):
            return None
        case Primitive(name=name):
            return Column(f"f{place}", name)
        case Union(branches=(Primitive(name="null"), Primitive(name=name))):
            return Column(f"f{place}", name, 2)
        case Union(branches=(Primitive(name=name), Primitive(name="null"))):
            return Column(f"f{place}", name, 0)
        case _:
            raise NotFastError(f"field {place} is not simple")


def _batches(blocks: Iterator[Block]) -> Iterator[list[Block]]:
    """Yield neighbouring blocks that are read at once; a block of more rows than a batch has is one by itself."""
    together: list[Block] = []
    rows = size = 0
    for block in blocks:
        if together and (rows + block.rows > _BATCH_ROWS or size + block.size > _BATCH_BYTES):
            yield together
            together, rows, size = [], 0, 0
        together.append(block)
        rows, size = rows + block.rows, size + block.size
    if together:
        yield together


def _decoded(blocks: Sequence[Block], layout: Sequence[Column]) -> Iterator[pl.DataFrame]:
    """Decode blocks; the last of several batches is filled with rows of zeros, so that each is full when it ends."""
    rows, size = sum(block.rows for block in blocks), sum(block.size for block in blocks)
    if not rows:
        if size:
            raise NotFastError("bytes without rows")
        return
    batches = -(-rows // _BATCH_ROWS)
    batch_rows = -(-rows // batches)
    filling = _filling(layout) * (batches * batch_rows - rows)
    header = _header(layout, size + len(filling))
    content = b"".join([header, *(piece for block in blocks for piece in block.pieces), filling, _SYNC])
    proof = Proof(content, len(header), blocks, layout)
    source = AvroSource([seekable_factory(io.BytesIO(content))], False, False)  # noqa: FBT003 (not strict, no views)
    reader = source.batch_iter(batch_rows, None)
    for begin in range(0, rows, batch_rows):
        frame = pl.DataFrame(next(reader, None))
        if frame.height != batch_rows:
            raise NotFastError(f"{frame.height} rows of {batch_rows}")
        frame = frame.head(rows - begin)
        proof.check(frame)
        yield frame


def _header(layout: Sequence[Column], size: int) -> bytes:
    """Return the beginning of an uncompressed file of one block, which says that it has room for any number of rows."""
    schema = {"type": "record", "name": "row", "fields": [column.declared for column in layout]}
    text = json.dumps(schema).encode()
    entry = _number(1) + _number(len(b"avro.schema")) + b"avro.schema" + _number(len(text)) + text + _number(0)
    return MAGIC + entry + _SYNC + _number(_ROOM) + _number(size)


def _filling(layout: Sequence[Column]) -> bytes:
    """Return a row of nulls and zeros."""
    return b"".join(
        bytes(column.fewest_bytes) if column.value_tag is None else bytes([2 - column.value_tag]) for column in layout
    )


def _number(value: int) -> bytes:
    """Return a length as Avro writes it."""
    rest, written = value << 1, bytearray()
    while rest > 0x7F:  # noqa: PLR2004
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)
