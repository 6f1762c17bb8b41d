"""Avro files: what a survey says of them, the fast reader, and that a damaged file is an error that says where.

Here: single files in ordinary and broken forms. Not here: odd names and types (test_tolerant.py).
"""

import io
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.avro.survey import MAGIC, AvroFile, survey
from heap_assets.sources.heap.tolerant import fast_scanned
from heap_assets_tests.exports.description import Field, File
from heap_assets_tests.exports.writer import file_bytes

CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2"]
MARKER = b"heap-sync-marker"
CELLS: dict[str, list[Any]] = {
    "boolean": [True, False],
    "int": [5, -(2**31)],
    "long": [2**63 - 1, -(2**63)],
    "float": [0.5, -1.0],
    "double": [0.1, 1e300],
    "string": ["a\0é🎈", ""],
}
TYPES = {
    "boolean": ValueType.BOOLEAN,
    "int": ValueType.LONG,
    "long": ValueType.LONG,
    "float": ValueType.DOUBLE,
    "double": ValueType.DOUBLE,
    "string": ValueType.TEXT,
    "null": ValueType.TEXT,
}
ORDINARY = File("a.avro", (Field("user_id", "long"), Field("plan")), tuple((n, f"plan {n}") for n in range(3)))


def written(folder: Path, file: File | bytes) -> Path:
    path = folder / "a.avro"
    path.write_bytes(file if isinstance(file, bytes) else file_bytes(file))
    return path


def surveyed(folder: Path, file: File | bytes) -> AvroFile:
    return survey(written(folder, file))


def container(schema: object, records: list[dict], **settings: Any) -> bytes:
    """Return an Avro file of several blocks, a block for each record."""
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema, records, sync_marker=MARKER, sync_interval=1, **settings)
    return buffer.getvalue()


def header(schema: str, codec: str = "null") -> bytes:
    """Return the header of an Avro file that declares this text as its schema."""
    entries = [(b"avro.schema", schema.encode()), (b"avro.codec", codec.encode())]
    body = b"".join(number(len(part)) + part for entry in entries for part in entry)
    return MAGIC + number(len(entries)) + body + number(0) + MARKER


def number(value: int) -> bytes:
    """Return a number as Avro writes it."""
    rest, encoded = (value << 1) ^ (value >> 63), bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*encoded, rest])


def rows(*paths: Path) -> list[tuple]:
    return fast_scanned([survey(path) for path in paths]).frame.collect().rows()


@pytest.mark.parametrize("codec", CODECS)
def test_every_codec_is_surveyed_and_read(tmp_path, codec):
    file = File("a.avro", ORDINARY.fields, ORDINARY.rows, codec=codec)
    found = surveyed(tmp_path, file)
    assert (found.rows, found.codec, found.is_ordinary) == (3, codec, True)
    assert found.types == {"user_id": ValueType.LONG, "plan": ValueType.TEXT}
    assert rows(found.path) == list(ORDINARY.rows)


@pytest.mark.parametrize("union", ["null_first", "null_last", "bare"])
@pytest.mark.parametrize("avro_type", CELLS)
def test_every_primitive_is_read_bare_and_in_unions_of_either_order(tmp_path, avro_type, union):
    cells = [*CELLS[avro_type], *([] if union == "bare" else [None])]
    file = File("a.avro", (Field("x", avro_type, union),), tuple((cell,) for cell in cells))
    found = surveyed(tmp_path, file)
    assert found.is_ordinary
    assert found.types == {"x": TYPES[avro_type]}
    assert rows(found.path) == [(cell,) for cell in cells]


@pytest.mark.parametrize("logical", ["timestamp-millis", "timestamp-micros", "local-timestamp-millis"])
def test_timestamps_are_times(tmp_path, logical):
    found = surveyed(tmp_path, File("a.avro", (Field("x", logical),), ((1_717_200_000_000,),)))
    assert found.is_ordinary
    assert found.types == {"x": ValueType.TIME}


@pytest.mark.parametrize(
    "declared", ["null", {"type": "string"}, ["null", {"type": "string"}], [{"type": "null"}, "null"]]
)
def test_roundabout_declarations_are_simple_too_or_left_to_the_tolerant_reader(tmp_path, declared):
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": declared}]}
    found = surveyed(tmp_path, header(json.dumps(schema)))
    assert set(found.types.values()) <= {ValueType.TEXT}


def test_files_of_one_schema_are_read_one_after_the_other_in_the_order_given(tmp_path):
    paths = [tmp_path / name for name in ("b [1].avro", "a*.avro")]
    for place, path in enumerate(paths):
        path.write_bytes(file_bytes(File("", (Field("x", "long"),), ((place,), (place + 10,)))))
    assert rows(*paths) == [(0,), (10,), (1,), (11,)]
    assert rows(*paths[::-1]) == [(1,), (11,), (0,), (10,)]


def test_a_file_of_many_blocks_is_counted_and_read_whole(tmp_path):
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": "long"}]}
    found = surveyed(tmp_path, container(schema, [{"x": value} for value in range(500)]))
    assert found.rows == 500
    assert rows(found.path) == [(value,) for value in range(500)]


def test_a_file_without_rows_is_no_error(tmp_path):
    found = surveyed(tmp_path, File("a.avro", ORDINARY.fields))
    assert (found.rows, found.is_ordinary) == (0, False)


@pytest.mark.parametrize("fields", [[], [{"name": "x", "type": "null"}]])
def test_rows_that_take_no_bytes_are_left_to_the_tolerant_reader(tmp_path, fields):
    schema = {"type": "record", "name": "r", "fields": fields}
    found = surveyed(tmp_path, container(schema, [{}, {}]))
    assert (found.rows, found.is_ordinary) == (2, False)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty (0 bytes)"),
        (b"O", "does not begin like an Avro file"),
        (b"PAR1" + b"\0" * 50, "does not begin like an Avro file"),
        (b"<Error>SlowDown</Error>", "does not begin like an Avro file"),
        (MAGIC, "is cut short"),
        (MAGIC + b"\xff" * 40, "is damaged: a number does not end"),
        (MAGIC + number(1) + number(2**60) + b"avro.schema", "is cut short within its header"),
        (header("no schema"), "declares a schema that is not JSON"),
        (header("[" * 100_000), "declares a schema that is not JSON"),
        (header('"string"'), 'declares "string", but a table is an Avro record'),
        (header('{"type": "record"}'), 'declares {"type": "record"}, but a table is an Avro record'),
        (header('{"type": "record", "fields": [5]}'), "declares 5 as a field"),
        (header('{"type": "record", "fields": [{"name": "x"}]}'), 'declares {"name": "x"} as a field'),
        (header('{"type": "record", "fields": [{"name": "", "type": "int"}]}'), "as a field"),
        (header('{"type": "record", "fields": [{"name": 1, "type": "int"}]}'), "as a field"),
        (
            header('{"type": "record", "fields": [{"name": "x", "type": "int"}, {"name": "x", "type": "int"}]}'),
            "'x' 2 t",
        ),
        (header('{"type": "record", "fields": [{"name": "\\ud800", "type": "int"}]}'), "is not JSON"),
    ],
)
def test_what_is_no_avro_table_is_an_error_that_says_why(tmp_path, content, said):
    with pytest.raises(UnreadableFileError) as unreadable:
        surveyed(tmp_path, content)
    assert said in str(unreadable.value)


def test_a_file_cut_at_any_byte_is_an_error_unless_it_ends_between_two_blocks(tmp_path):
    schema = {"type": "record", "name": "r", "fields": [{"name": "x", "type": "string"}]}
    whole = container(schema, [{"x": "one"}, {"x": "two"}], codec="deflate")
    ends = [place + len(MARKER) for place in range(len(whole)) if whole.startswith(MARKER, place)]
    assert ends[-1] == len(whole)
    readable = {}
    for length in range(len(whole)):
        try:
            readable[length] = surveyed(tmp_path, whole[:length]).rows
        except UnreadableFileError as error:
            assert "cut short" in str(error) or length < len(MAGIC)  # noqa: PT017 (one assertion for every length)
    assert readable == dict(zip(ends[:-1], range(len(ends) - 1), strict=True))


def test_a_block_that_lies_about_its_length_is_damaged(tmp_path):
    whole = bytearray(file_bytes(ORDINARY))
    whole[-20] ^= 0xFF  # within the rows
    surveyed(tmp_path, bytes(whole))
    whole[-5] ^= 0xFF  # within the marker
    with pytest.raises(UnreadableFileError, match=r"is damaged: the block at byte \d+ does not end where it says"):
        surveyed(tmp_path, bytes(whole))


@pytest.mark.parametrize(("count", "size"), [(-1, 3), (1, -3), (1, 2**62), (1, 17)])
def test_a_block_that_cannot_be_is_an_error(tmp_path, count, size):
    schema = json.dumps({"type": "record", "name": "r", "fields": [{"name": "x", "type": "long"}]})
    with pytest.raises(UnreadableFileError):
        surveyed(tmp_path, header(schema) + number(count) + number(size) + MARKER)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 255)), min_size=1, max_size=4), st.sampled_from(CODECS))
def test_no_flipped_byte_breaks_the_survey_with_anything_but_an_unreadable_file(tmp_path, flips, codec):
    whole = bytearray(file_bytes(File("a.avro", ORDINARY.fields, ORDINARY.rows, codec=codec)))
    for place, mask in flips:
        whole[place % len(whole)] ^= mask
    with suppress(UnreadableFileError):
        assert surveyed(tmp_path, bytes(whole)).rows >= 0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.booleans())
def test_no_garbage_breaks_the_survey_with_anything_but_an_unreadable_file(tmp_path, garbage, begins_well):
    with pytest.raises(UnreadableFileError):
        surveyed(tmp_path, MAGIC + garbage if begins_well else garbage)
