"""The tolerant reader: any Avro record, each value in the type in which it came.

Here: odd names, types and values. Not here: ordinary files (avro/test_survey.py), damaged ones (pipeline/).
"""

import io
import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest

from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.avro.survey import survey
from heap_assets.sources.heap.tolerant import Decoded, tolerantly_scanned

TEXT, LONG, DOUBLE, TIME, BOOLEAN = (
    ValueType.TEXT,
    ValueType.LONG,
    ValueType.DOUBLE,
    ValueType.TIME,
    ValueType.BOOLEAN,
)
Columns = dict[str, dict[ValueType, list]]
JUNE = datetime(2024, 6, 1)  # noqa: DTZ001 (UTC without zone, as stored)
JUNE_S = 1_717_200_000


def columns_of(decoded: Decoded) -> Columns:
    frame = decoded.frame.collect()
    return {
        name: {kind: frame[column].to_list() for kind, column in types.items()}
        for name, types in decoded.sources.items()
    }


def read(folder: Path, fields: list[dict], *records: dict[str, Any], codec: str = "null") -> Columns:
    """Write records of these fields and read them; field names may be as odd as they like."""
    plain = [{**field, "name": f"f{place}"} for place, field in enumerate(fields)]
    rows = [{f"f{place}": record.get(field["name"]) for place, field in enumerate(fields)} for record in records]
    buffer = io.BytesIO()
    fastavro.writer(buffer, {"type": "record", "name": "r", "fields": plain}, rows, codec=codec, sync_marker=b"=" * 16)
    header, marker, blocks = buffer.getvalue().partition(b"=" * 16)
    for place, field in enumerate(fields):  # readers look for the marker, so that the header may change its length
        header = header.replace(b'"f%d"' % place, json.dumps(field["name"], ensure_ascii=False).encode())
    path = folder / "a.avro"
    path.write_bytes(_with_schema_length(header) + marker + blocks)
    return columns_of(tolerantly_scanned(survey(path)))


def _with_schema_length(header: bytes) -> bytes:
    """Return a header whose schema changed, with the length that it has now."""
    begin, end = header.index(b'{"type"'), header.rindex(b"}") + 1
    before = header[: header.index(b"avro.schema") + len(b"avro.schema")]
    length, rest = bytearray(), (end - begin) << 1
    while rest > 0x7F:
        length.append(rest & 0x7F | 0x80)
        rest >>= 7
    return before + bytes([*length, rest]) + header[begin:]


def column(folder: Path, avro_type: object, *values: Any) -> dict[ValueType, list]:
    return read(folder, [{"name": "x", "type": avro_type}], *({"x": value} for value in values))["x"]


@pytest.mark.parametrize("name", ["a b", "a.b", "1st", "größe", '"', "a\n", "🎈", "$", "x" * 300])
def test_a_field_may_have_any_name(tmp_path, name):
    fields = [{"name": name, "type": ["null", "long"]}, {"name": "user_id", "type": "string"}]
    assert read(tmp_path, fields, {name: 5, "user_id": "u"}, {"user_id": "v"}) == {
        name: {LONG: [5, None]},
        "user_id": {TEXT: ["u", "v"]},
    }


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2"])
def test_every_codec_is_read(tmp_path, codec):
    rows = [{"a b": value} for value in range(3)]
    assert read(tmp_path, [{"name": "a b", "type": "long"}], *rows, codec=codec) == {"a b": {LONG: [0, 1, 2]}}


def test_a_union_of_several_types_puts_each_value_in_the_column_of_its_own(tmp_path):
    union = ["null", "long", "double", "string", "boolean"]
    yes = True
    assert column(tmp_path, union, 5, 0.5, "a", yes, None) == {
        LONG: [5, None, None, None, None],
        DOUBLE: [None, 0.5, None, None, None],
        TEXT: [None, None, "a", None, None],
        BOOLEAN: [None, None, None, True, None],
    }


def test_a_union_of_one_is_that_one(tmp_path):
    assert column(tmp_path, ["long"], 5) == {LONG: [5]}
    assert column(tmp_path, ["null"], None) == column(tmp_path, "null", None) == {TEXT: [None]}


def test_an_enum_is_text_also_where_it_is_only_named(tmp_path):
    enum = {"type": "enum", "name": "plan", "symbols": ["FREE", "GOLD"]}
    fields = [{"name": "x", "type": enum}, {"name": "y", "type": ["null", "plan"]}]
    assert read(tmp_path, fields, {"x": "FREE", "y": "GOLD"}) == {"x": {TEXT: ["FREE"]}, "y": {TEXT: ["GOLD"]}}


def test_bytes_are_text_and_what_is_no_utf8_is_escaped(tmp_path):
    fixed = {"type": "fixed", "name": "three", "size": 3}
    assert column(tmp_path, "bytes", "ü".encode(), b"\xff\x00") == {TEXT: ["ü", "\\xff\x00"]}
    assert column(tmp_path, fixed, b"abc") == {TEXT: ["abc"]}


def test_lists_maps_and_records_are_json(tmp_path):
    record = {"type": "record", "name": "inner", "fields": [{"name": "a", "type": "string"}]}
    assert column(tmp_path, {"type": "array", "items": "long"}, [1, 2]) == {TEXT: ["[1, 2]"]}
    assert column(tmp_path, {"type": "map", "values": "long"}, {"ü": 1}) == {TEXT: ['{"ü": 1}']}
    assert column(tmp_path, ["null", record], {"a": "x"}, None) == {TEXT: ['{"a": "x"}', None]}


@pytest.mark.parametrize("local", ["", "local-"])
@pytest.mark.parametrize(("unit", "per_second"), [("millis", 10**3), ("micros", 10**6), ("nanos", 10**9)])
def test_timestamps_are_times_of_microseconds(tmp_path, local, unit, per_second):
    declared = ["null", {"type": "long", "logicalType": f"{local}timestamp-{unit}"}]
    assert column(tmp_path, declared, JUNE_S * per_second, None) == {TIME: [JUNE, None]}


def test_a_finer_fraction_than_microseconds_is_cut_off(tmp_path):
    nanos = {"type": "long", "logicalType": "timestamp-nanos"}
    assert column(tmp_path, nanos, JUNE_S * 10**9 + 1_999, -1) == {
        TIME: [JUNE + timedelta(microseconds=1), datetime(1969, 12, 31, 23, 59, 59, 999_999)]  # noqa: DTZ001
    }


def test_a_timestamp_that_no_count_of_microseconds_can_hold_is_null(tmp_path):
    assert column(tmp_path, {"type": "long", "logicalType": "timestamp-millis"}, 2**62, -(2**62)) == {
        TIME: [None, None]
    }


@pytest.mark.parametrize(
    ("declared", "value", "text"),
    [
        ({"type": "int", "logicalType": "date"}, date(2024, 6, 1), "2024-06-01"),
        ({"type": "int", "logicalType": "time-millis"}, timedelta(hours=1).seconds * 1000, "01:00:00"),
        ({"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}, Decimal("12.34"), "12.34"),
        ({"type": "string", "logicalType": "uuid"}, UUID(int=5), str(UUID(int=5))),
        ({"type": "string", "logicalType": "mine"}, "a", "a"),
    ],
)
def test_other_logical_types_are_text(tmp_path, declared, value, text):
    assert column(tmp_path, declared, value) == {TEXT: [text]}


def test_a_uuid_that_is_none_stays_as_it_is(tmp_path):
    path = tmp_path / "a.avro"
    fields = [{"name": "x y", "type": {"type": "string", "logicalType": "uuid"}}]
    read(tmp_path, [{"name": "x y", "type": {"type": "string", "logicalType": "text"}}], {"x y": "no uuid"})
    path.write_bytes(path.read_bytes().replace(b'"logicalType": "text"', b'"logicalType": "uuid"'))
    assert fields == json.loads(survey(path).schema_text)["fields"]
    assert columns_of(tolerantly_scanned(survey(path))) == {"x y": {TEXT: ["no uuid"]}}


@pytest.mark.parametrize(
    "declared",
    [
        {"type": "long", "logicalType": "mine"},
        ["null", {"type": "long", "logicalType": "mine"}],
        {"type": "long", "logicalType": "date"},
    ],
)
def test_a_number_of_a_logical_type_that_nobody_knows_is_a_number(tmp_path, declared):
    assert column(tmp_path, declared, 5) == {LONG: [5]}


def test_a_record_may_lack_a_name(tmp_path):
    path = tmp_path / "a.avro"
    read(tmp_path, [{"name": "x", "type": "long"}], {"x": 5})
    header, marker, blocks = path.read_bytes().partition(b"=" * 16)
    assert b'"name": "r", ' in header
    path.write_bytes(_with_schema_length(header.replace(b'"name": "r", ', b"")) + marker + blocks)
    assert columns_of(tolerantly_scanned(survey(path))) == {"x": {LONG: [5]}}


def test_columns_rows_and_conditions_can_be_asked_for_alone(tmp_path):
    fields = [{"name": "a b", "type": "long"}, {"name": "c", "type": "long"}]
    read(tmp_path, fields, *({"a b": value, "c": -value} for value in range(5)))
    frame = tolerantly_scanned(survey(tmp_path / "a.avro")).frame
    first, second = frame.collect_schema().names()
    assert frame.select(second).head(2).collect()[second].to_list() == [0, -1]
    assert frame.filter(frame.collect()[first] > 2).collect()[first].to_list() == [3, 4]
    assert frame.tail(1).collect().rows() == [(4, -4)]
