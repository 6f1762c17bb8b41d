"""Thousands of damaged Avro files through decoding as a landing does it: the rows of a strict oracle, or an error.

Here: drawn damage to every codec, to files for the fast reader and for the tolerant one; a file that takes more than
seconds ends the worker. Not here: single kinds of damage in words (sources/heap/avro/test_damage.py), what is said of a
dump (test_landing_errors.py).
"""

import faulthandler
import json
import os
import random
from pathlib import Path

import polars as pl
import pytest

from heap_assets.errors import UnreadableFileError
from heap_assets.lake.landed_table import NewFile
from heap_assets.pipeline.landing.decoding import _surveyed, _written_group
from heap_assets.schema.heap_tables import DROPPED_TABLES
from heap_assets.schema.stored_columns import ROW_ID, delivered_column
from heap_assets_tests.exports.avro_bytes import (
    CODECS,
    MARKER,
    block,
    compressed,
    double,
    header,
    number,
    record,
    sized,
    stored_block,
)
from heap_assets_tests.oracles import avro_reader

DAMAGED = max(82, int(os.environ.get("HEAP_TEST_EXAMPLES", "0")))  # of each codec and schema: 2,050 in all
SECONDS = 20
PLAN = {"type": "enum", "name": "Plan", "namespace": "com.acme", "symbols": ["FREE", "free-trial", "N/A"]}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 10}
LINE = {
    "type": "record",
    "name": "row",
    "fields": [{"name": "sku", "type": "string"}, {"name": "plan", "type": "com.acme.Plan"}],
}
SCHEMAS = {
    "ids": record(("id", "long"), ("n", "int"), ("plan", "string")),
    "unions": record(("id", ["null", "long"]), ("plan", ["string", "null"]), ("price", ["null", "double"])),
    "flags": record(("seen", "boolean"), ("paid", ["null", "boolean"]), ("share", "float")),
    "odd": record(
        ("a b", ["null", "long", "string"]),
        ("plan", PLAN),
        ("price", ["null", MONEY]),
        ("id", {"type": "fixed", "name": "two", "size": 2}),
    ),
    "nested": record(
        ("plan", PLAN),
        ("lines", {"type": "array", "items": LINE}),
        ("about", {"type": "map", "values": ["null", "long"]}),
    ),
}


def drawn_row(schema: str, dice: random.Random) -> bytes:
    text = sized("é🎈abc"[: dice.randrange(6)] * dice.choice([1, 1, 1, 20]))
    some = number(dice.choice([0, -1, 5, 63, 64, 300, 2**31 - 1]))
    match schema:
        case "ids":
            return number(dice.getrandbits(62)) + some + text
        case "unions":
            return (
                dice.choice([b"\0", b"\2" + some])
                + dice.choice([b"\2", b"\0" + text])
                + dice.choice([b"\0", b"\2" + double(0.5)])
            )
        case "flags":
            return (
                dice.choice([b"\0", b"\1"])
                + dice.choice([b"\0", b"\2\1", b"\2\0"])
                + bytes([0, 0, dice.randrange(256), 63])
            )
        case "odd":
            price = dice.choice([b"\0", b"\2" + sized(b""), b"\2" + sized(bytes([dice.randrange(256)]))])
            return dice.choice([b"\0", b"\2" + some, b"\4" + text]) + number(dice.randrange(3)) + price + b"ab"
    line = text + number(dice.randrange(3))
    lines = dice.choice([b"\0", number(2) + line + line + b"\0", number(-1) + number(len(line)) + line + b"\0"])
    return number(dice.randrange(3)) + lines + dice.choice([b"\0", number(1) + text + b"\2" + some + b"\0"])


def damaged_file(schema: str, codec: str, dice: random.Random) -> bytes:  # noqa: C901 (kind by kind)
    """Return a file of a few blocks, most of which have something done to them."""
    blocks = []
    for _ in range(dice.randrange(1, 4)):
        count = dice.randrange(5)
        blocks.append([count, b"".join(drawn_row(schema, dice) for _ in range(count))])
    head = header(SCHEMAS[schema], codec)
    how = dice.randrange(8)
    if how < 3:  # beneath the codec, whose checksums are right
        one = dice.choice(blocks)
        match dice.randrange(4):
            case 0:
                one[0] = dice.choice([0, one[0] + 1, max(0, one[0] - 1), 2**40, 2**62])
            case 1:
                one[1] = changed(one[1], dice)
            case 2:
                one[1] += dice.choice([b"\0", b"\0\0", b"\2", one[1]])
            case 3 if len(blocks) > 1:  # what one block lacks the next one has
                cut = dice.randrange(len(blocks[0][1]) + 1)
                blocks[1][1] = blocks[0][1][cut:] + blocks[1][1]
                blocks[0][1] = blocks[0][1][:cut]
    written = [stored_block(count, compressed(rows, codec)) for count, rows in blocks]
    if how == 3:  # within the codec
        count, rows = dice.choice(blocks)
        data = compressed(rows, codec)
        data = dice.choice([changed(data, dice), data + b"\0", data + data, data[:-1], b"", data[1:]])
        written[dice.randrange(len(written))] = stored_block(count, data)
    if how == 4:  # splices
        dice.shuffle(written)
        written.insert(
            dice.randrange(len(written) + 1),
            dice.choice(
                [dice.choice(written), block(0, b"", codec), stored_block(0, b"\0\0"), stored_block(0, b""), MARKER]
            ),
        )
    whole = head + b"".join(written)
    if how == 5:  # anywhere behind the header
        whole = head + changed(b"".join(written), dice)
    if how == 6:  # anywhere
        whole = changed(whole, dice)
    return whole


def changed(content: bytes, dice: random.Random) -> bytes:
    """Return bytes of which some are flipped, cut, put in, or taken out."""
    found = bytearray(content)
    for _ in range(dice.randrange(1, 3)):
        at = dice.randrange(len(found) + 1)
        match dice.randrange(4):
            case 0 if at < len(found):
                found[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(found):
                found[at] = dice.randrange(256)
            case 2:
                found[at:at] = dice.randbytes(dice.randrange(1, 3))
            case 3:
                del found[at : at + dice.choice([1, 1, 2, 40])]
    return bytes(found)


def decoded(path: Path) -> list[list[object]] | str:
    """Return the rows that a landing of this file alone would have, or what it says."""
    place = NewFile(path.with_suffix(".parquet"), "x.parquet", "1-a", 0)
    try:
        file = _surveyed("s3://b/a.avro", path, DROPPED_TABLES, 0)
        names = [name for name, _ in file.avro.fields]
        footer = _written_group([file], place, DROPPED_TABLES, 1)
    except UnreadableFileError as error:
        return str(error)
    frame = pl.read_parquet(place.written).sort(ROW_ID)
    assert frame.height == footer.rows
    columns = {name: [None] * frame.height for name in names}
    for stored in frame.columns:
        if not stored.startswith("$"):
            name, _ = delivered_column(stored)
            columns[name] = [new if old is None else old for old, new in zip(columns[name], frame[stored], strict=True)]
    return [list(row) for row in zip(*columns.values(), strict=True)] if frame.height else []


def due(content: bytes) -> list[list[object]] | None:
    """Return the rows that the file has, None if it has none by the specification."""
    try:
        _, rows = avro_reader.read(content)
    except avro_reader.Refused:
        return None
    return [
        [json.dumps(cell, ensure_ascii=False) if isinstance(cell, list | dict) else cell for cell in row]
        for row in rows
    ]


@pytest.fixture(autouse=True)
def watchdog():
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_damaged_file_ends_in_the_rows_that_its_bytes_say_or_in_an_error(tmp_path, schema, codec):
    dice = random.Random(f"{schema} {codec}")
    read = refused = 0
    for turn in range(DAMAGED):
        content, path = damaged_file(schema, codec, dice), tmp_path / f"{turn}.avro"
        path.write_bytes(content)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        found, rows = decoded(path), due(content)
        if rows is None:
            assert isinstance(found, str), (turn, content)
            refused += 1
        else:
            assert repr(found) == repr(rows), (turn, content)
            read += 1
    assert read > 5
    assert refused > 20
