"""How the sample's files are written: Avro parts, JSON, and the times of their writing.

Here: bytes, names, modification times. Not here: what is in them.
"""

import json
import os
from collections.abc import Sequence
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import polars_avro

from heap_assets.sample.draws import Draws

_ROWS_PER_BLOCK = 10_000
_MARKER_LENGTH = 16


def part_name(draws: Draws, dump_id: int, table: str, part: int) -> str:
    """Return the name of a data file: Spark's for most tables, another one's for users and merges."""
    if table in {"users", "user_migrations"}:
        return f"{part}_{draws.hexadecimal(f'{dump_id} {table} {part}', 14)}.avro"
    run = draws.hexadecimal(f"{dump_id} {table}", 32)
    uuid = f"{run[:8]}-{run[8:12]}-4{run[13:16]}-a{run[17:20]}-{run[20:]}"
    return f"part-{part:05d}-{uuid}-c000.avro"


def write_avro(path: Path, frame: pl.DataFrame, *, moment: int) -> None:
    """Write a frame as a snappy Avro file that was last modified then (epoch ms)."""
    buffer = BytesIO()
    # How many chunks a frame has depends on the number of threads, and each would become a block of its own.
    blocks = frame.rechunk().iter_slices(_ROWS_PER_BLOCK)
    # This writer lets other threads run meanwhile; Polars' own does not.
    polars_avro.write_avro(blocks, buffer, codec=polars_avro.Codec.Snappy)
    content = buffer.getvalue()
    # The random marker between blocks is the only thing in which two files of equal rows differ.
    marker = blake2b(path.name.encode(), digest_size=_MARKER_LENGTH).digest()
    content = content.replace(content[-_MARKER_LENGTH:], marker)
    write_bytes(path, content, moment=moment)


def write_json(path: Path, value: Any, *, moment: int) -> None:
    """Write a value as JSON."""
    write_bytes(path, json.dumps(value, indent=1, ensure_ascii=False).encode(), moment=moment)


def write_json_lines(path: Path, rows: Sequence[Any], *, moment: int) -> None:
    """Write each row as a line of JSON."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_bytes(path, lines.encode(), moment=moment)


def write_bytes(path: Path, content: bytes, *, moment: int) -> None:
    """Write a file in one go, so that no reader sees half of it, and set the time of its writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.write_bytes(content)
    os.utime(unfinished, ns=(moment * 1_000_000, moment * 1_000_000))
    unfinished.replace(path)
