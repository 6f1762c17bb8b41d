"""Single kinds of damage, limits and declarations, each through decoding as a landing does it.

Here: one fault at a time, made byte by byte. Not here: drawn damage (pipeline/landing/test_damaged_files.py), what a
run says (pipeline/landing/test_landing_errors.py).
"""

import bz2
import subprocess
import sys
import zlib
from pathlib import Path

import polars as pl
import pytest

from heap_assets.errors import UnreadableFileError
from heap_assets.lake.landed_table import NewFile
from heap_assets.pipeline.landing.decoding import _surveyed, _written_group
from heap_assets.schema.heap_tables import DROPPED_TABLES
from heap_assets.schema.stored_columns import ROW_ID
from heap_assets_tests.exports.avro_bytes import (
    CODECS,
    block,
    compressed,
    deflated,
    double,
    header,
    number,
    record,
    sized,
    stored_block,
    zstd,
)

TEXT = record(("x", "string"))
ODD = record(("x", ["null", "string", "long"]))
MIB = 2**20


def landed(folder: Path, *contents: bytes) -> list[tuple]:
    """Return the rows of files that are decoded together, without ids."""
    files, first_row_id = [], 0
    for place, content in enumerate(contents):
        path = folder / f"{place}.avro"
        path.write_bytes(content)
        files.append(_surveyed(f"s3://b/{place}.avro", path, DROPPED_TABLES, first_row_id))
        first_row_id += files[-1].rows
    place = NewFile(folder / "out.parquet", "out.parquet", "1-a", 0)
    _written_group(files, place, DROPPED_TABLES, 1)
    frame = pl.read_parquet(place.written).sort(ROW_ID)
    return frame.select(name for name in frame.columns if not name.startswith("$")).rows()


def refused(folder: Path, *contents: bytes) -> str:
    with pytest.raises(UnreadableFileError) as error:
        landed(folder, *contents)
    return str(error.value)


def texts(*values: str, tag: bytes = b"") -> bytes:
    return b"".join(tag + sized(value) for value in values)


@pytest.mark.parametrize(("schema", "tag"), [(TEXT, b""), (ODD, b"\2")], ids=["fast", "tolerant"])
@pytest.mark.parametrize("codec", CODECS)
class TestBlocks:
    """The rows of blocks and their bytes."""

    def test_rows_without_a_declaration_are_an_error(self, tmp_path, codec, schema, tag):
        content = header(schema, codec) + block(1, texts("a", "b", tag=tag), codec)
        said = refused(tmp_path, content)
        assert "file s3://b/0.avro is damaged: the block at byte " in said
        assert f"has {2 + len(tag)} bytes more than they take" in said

    def test_a_byte_too_many_is_an_error(self, tmp_path, codec, schema, tag):
        assert "1 bytes more" in refused(tmp_path, header(schema, codec) + block(1, texts("a", tag=tag) + b"\0", codec))

    def test_a_byte_too_few_is_an_error(self, tmp_path, codec, schema, tag):
        assert "is damaged" in refused(tmp_path, header(schema, codec) + block(1, texts("abc", tag=tag)[:-1], codec))

    def test_bytes_without_rows_are_an_error(self, tmp_path, codec, schema, tag):
        good = block(1, texts("a", tag=tag), codec)
        assert "declares 0 rows, has 2 bytes more" in refused(
            tmp_path, header(schema, codec) + good + block(0, b"\0\0", codec) + good
        )

    def test_what_one_block_lacks_the_next_cannot_give(self, tmp_path, codec, schema, tag):
        rows = texts("abc", "abc", tag=tag)
        for cut in range(1, len(rows)):
            content = header(schema, codec) + block(1, rows[:cut], codec) + block(1, rows[cut:], codec)
            if cut == len(rows) // 2:
                assert landed(tmp_path, content) == landed(tmp_path, header(schema, codec) + block(2, rows, codec))
            else:
                assert "is damaged" in refused(tmp_path, content)

    def test_an_empty_block_is_none(self, tmp_path, codec, schema, tag):
        good = block(1, texts("a", tag=tag), codec)
        content = header(schema, codec) + stored_block(0, b"") + good + block(0, b"", codec) + stored_block(0, b"")
        assert [row[-1] if tag == b"" else "a" for row in landed(tmp_path, content)] == ["a"]

    def test_bytes_behind_what_is_compressed_are_an_error(self, tmp_path, codec, schema, tag):
        data = compressed(texts("a", tag=tag), codec) + b"\1\2\3\4\5"
        assert "is damaged" in refused(tmp_path, header(schema, codec) + stored_block(1, data))

    def test_the_file_of_a_group_that_is_to_blame_is_named(self, tmp_path, codec, schema, tag):
        good = header(schema, codec) + block(1, texts("a", tag=tag), codec)
        bad = header(schema, codec) + block(1, texts("a", tag=tag) + b"\0", codec)
        assert "file s3://b/1.avro is damaged" in refused(tmp_path, good, bad, good)

    def test_text_that_is_not_utf8_is_an_error(self, tmp_path, codec, schema, tag):
        rows = tag + sized(b"\xff\xfe")
        assert "is not UTF-8" in refused(tmp_path, header(schema, codec) + block(1, rows, codec))


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        (["null", "long"], b"\4\2", "a union has 2 types, and the value before byte 1 says 2"),
        (["null", "long"], b"\1\2", "a union has 2 types, and the value before byte 1 says -1"),
        (["string", "null"], b"\3", "a union has 2 types, and the value before byte 1 says -2"),
        ("boolean", b"\2", "a flag is 2 at byte 0 of the block"),
        (["null", "boolean"], b"\2\xff", "a flag is 255"),
        ("int", number(2**31), "an int is 2,147,483,648"),
        ("long", b"\xff" * 11, "a number does not end"),
        ("string", number(-1), "a value says that it has -1 bytes"),
        ("string", number(2**60), "a value says that it has 1,152,921,504,606,846,976 bytes"),
        ({"type": "enum", "name": "e", "symbols": ["A"]}, b"\2", "an enum has 1 symbols, and a value says 1"),
        (
            {"type": "array", "items": "null"},
            number(2**40) + b"\0",
            "more than 100,000 values of a block take no bytes",
        ),
        ({"type": "array", "items": "long"}, number(2**40) + b"\0", "1,099,511,627,776 items are declared"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9}, sized(bytes(2000)), "a decimal has 2,000 bytes"),
    ],
)
def test_what_avro_does_not_have_is_an_error_that_says_what(tmp_path, kind, row, said):
    assert said in refused(tmp_path, header(record(("x", kind))) + block(1, row))


@pytest.mark.parametrize("codec", CODECS)
def test_rows_are_many_and_in_order_whatever_the_blocks_are(tmp_path, codec):
    schema = record(
        ("n", ["null", "long"]), ("s", ["string", "null"]), ("d", "double"), ("z", "null"), ("t", "boolean")
    )

    def row(place: int) -> bytes:
        long = b"\0" if place % 5 == 0 else b"\2" + number(place * 10**9)
        return (
            long
            + (b"\2" if place % 7 == 0 else b"\0" + sized("x" * (place % 200)))
            + double(place)
            + bytes([place % 2])
        )

    sizes, place, content = [1, 33_000, 3, 0, 2], 0, header(schema, codec)
    for size in sizes:
        content += block(size, b"".join(row(place + more) for more in range(size)), codec)
        place += size
    found = landed(tmp_path, content, content)
    assert len(found) == 2 * place
    due = [
        (None if n % 5 == 0 else n * 10**9, None if n % 7 == 0 else "x" * (n % 200), float(n), None, n % 2 == 1)
        for n in range(place)
    ]
    assert found == due * 2


def test_three_bytes_of_zlibs_checksum_may_follow_a_deflated_block(tmp_path):
    rows = texts("a", "b")
    for length in (3, 4):
        data = deflated(rows) + zlib.adler32(rows).to_bytes(4, "big")[:length]
        assert landed(tmp_path, header(TEXT, "deflate") + stored_block(2, data)) == [("a",), ("b",)]
    assert "3 bytes follow its end" in refused(
        tmp_path, header(TEXT, "deflate") + stored_block(2, deflated(rows) + b"\1\2\3")
    )


@pytest.mark.parametrize("declared", [2**40, 2**62, 100_001])
def test_rows_that_take_no_bytes_are_bounded(tmp_path, declared):
    content = header(record(("x", "null"))) + block(declared, b"")
    assert f"declares {declared:,} rows" in refused(tmp_path, content)
    assert "the most is 1" in refused(tmp_path, content)


def test_a_few_rows_that_take_no_bytes_are_rows(tmp_path):
    assert landed(tmp_path, header(record(("x", "null"), ("y", "null"))) + block(3, b"")) == [(None, None)] * 3


@pytest.mark.parametrize("schema", [record(("x", "boolean")), record(("x", ["null", "long", "string"]))])
def test_rows_for_each_byte_of_a_file_are_bounded(tmp_path, schema):
    content = header(schema, "deflate") + block(20_000_000, bytes(20_000_000), "deflate")
    assert f"declares 20,000,000 rows in {len(content):,} bytes, the most is 10,000,000" in refused(tmp_path, content)


LIMITED = """
import resource, sys, tempfile
from pathlib import Path
from heap_assets_tests.sources.heap.avro.test_damage import landed, UnreadableFileError
import polars
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    landed(Path(sys.argv[1]).parent / "out", Path(sys.argv[1]).read_bytes())
except UnreadableFileError as error:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, error)
"""


@pytest.mark.parametrize("schema", [TEXT, ODD], ids=["fast", "tolerant"])
@pytest.mark.parametrize("codec", ["deflate", "snappy", "zstandard", "bzip2"])
def test_a_text_that_inflates_without_end_is_refused(tmp_path, codec, schema):
    said = refused(tmp_path, bomb(schema, codec, 132 * MIB))
    assert "file s3://b/0.avro has" in said
    assert "that inflate to more than 128 MiB" in said


def test_a_text_that_inflates_without_end_is_refused_before_it_is_there(tmp_path):
    path = tmp_path / "bomb.avro"
    (tmp_path / "out").mkdir()
    path.write_bytes(bomb(ODD, "deflate", 1536 * MIB))
    assert path.stat().st_size < 2 * MIB
    found = subprocess.run(
        [sys.executable, "-c", LIMITED, path], capture_output=True, text=True, timeout=240, check=True
    )
    grown, _, said = found.stdout.partition(" ")
    assert "that inflate to more than 128 MiB" in said
    assert int(grown) < 400


def bomb(schema: dict, codec: str, size: int) -> bytes:
    """Return a file of one text of so many zeros."""
    return header(schema, codec) + stored_block(1, _bomb(b"\2" * (schema is ODD) + number(size), size, codec))


def _bomb(begin: bytes, size: int, codec: str) -> bytes:
    """Return a block of so many zeros behind its beginning."""
    if codec == "snappy":  # what it says first is enough
        return number_of_snappy(len(begin) + size) + compressed(begin + bytes(MIB), codec)[3:]
    zeros = bytes(4 * MIB)
    stream = {
        "deflate": lambda: zlib.compressobj(wbits=-15),
        "bzip2": lambda: bz2.BZ2Compressor(1),
        "zstandard": zstd.ZstdCompressor,
    }[codec]()
    found = stream.compress(begin)
    for _ in range(size // len(zeros)):
        found += stream.compress(zeros)
    return found + stream.flush()


def number_of_snappy(value: int) -> bytes:
    """Return a length as snappy writes it."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


@pytest.mark.parametrize("schema", [TEXT, ODD], ids=["fast", "tolerant"])
def test_a_value_is_bounded(tmp_path, schema):
    size = 65 * MIB
    rows = b"\2" * (schema is ODD) + number(size) + bytes(size)
    assert f"a value has {size:,} bytes, the most is {64 * MIB:,}" in refused(
        tmp_path, header(schema, "zstandard") + block(1, rows, "zstandard")
    )


def test_hundreds_of_thousands_of_rows_in_one_block_are_rows(tmp_path):
    rows = b"".join(number(place) + sized("free") + double(0.5) for place in range(300_000))
    schema = record(("id", "long"), ("plan", "string"), ("price", "double"))
    found = landed(tmp_path, header(schema, "snappy") + block(300_000, rows, "snappy"))
    assert len(found) == 300_000
    assert [one[0] for one in found] == [*range(300_000)]


def test_a_record_within_itself_may_not_be_endless(tmp_path):
    tree = {"type": "record", "name": "tree", "fields": [{"name": "of", "type": ["null", "tree"]}]}
    assert landed(tmp_path, header(record(("x", tree))) + block(1, b"\2\2\0")) == [('{"of": {"of": {"of": null}}}',)]
    assert "is nested too deep" in refused(tmp_path, header(record(("x", tree))) + block(1, b"\2" * 10**6 + b"\0"))


def test_records_of_records_that_take_no_bytes_are_bounded(tmp_path):
    kind = {"type": "record", "name": "r0", "fields": []}
    for depth in range(1, 50):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": f"r{depth - 1}"}]
        kind = {"type": "record", "name": f"r{depth}", "fields": fields}
    assert "take no bytes" in refused(tmp_path, header(record(("x", kind), ("y", "long"))) + block(1, b"\0"))
