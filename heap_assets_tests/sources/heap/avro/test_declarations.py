"""Schemas as other writers make them: names, namespaces, symbols, wrapping; and what is wrong with one.

Here: files made byte by byte, through decoding as a landing does it. Not here: damaged rows (test_damage.py).
"""

import pytest

from heap_assets_tests.exports.avro_bytes import CODECS, block, header, number, record, sized, stored_block
from heap_assets_tests.sources.heap.avro.test_damage import landed, refused

PLAN = {"type": "enum", "name": "Plan", "symbols": ["FREE", "GOLD"]}


def enum(name: str = "Plan", **more: object) -> dict:
    return {**PLAN, "name": name, **more}


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ([("x", enum("Plan", namespace="com.acme")), ("y", "com.acme.Plan")], {}),
        ([("x", enum("com.acme.Plan")), ("y", "com.acme.Plan")], {}),
        ([("x", enum()), ("y", "com.acme.Plan")], {"namespace": "com.acme"}),
        ([("x", enum()), ("y", "Plan")], {"namespace": "com.acme"}),
        ([("x", enum()), ("y", "Plan")], {"name": "com.acme.Signup"}),
        ([("x", enum("com.acme.Plan")), ("y", "Plan")], {"name": "com.acme.Signup", "namespace": "org.other"}),
        ([("x", enum("row")), ("y", "row")], {}),
        ([("x", enum("f0")), ("y", ["null", "f0"])], {}),
        ([("x", enum("Plan", aliases=["old", "com.acme.Old"])), ("y", "Plan")], {"aliases": ["before"]}),
        ([("x", enum("Plan", default="PLATINUM")), ("y", "Plan")], {}),
        ([("x", {"type": enum()}), ("y", {"type": "Plan"})], {}),
        ([("x", [enum()]), ("y", [{"type": "Plan"}])], {}),
    ],
)
def test_a_named_type_is_the_one_that_its_name_means(tmp_path, fields, more):
    def value(kind: object, place: int) -> bytes:
        tag = number(len(kind) - 1) if isinstance(kind, list) else b""
        return tag + number(place)

    rows = value(fields[0][1], 0) + value(fields[1][1], 1)
    assert landed(tmp_path, header(record(*fields, **more)) + block(1, rows)) == [("FREE", "GOLD")]


def test_two_types_of_one_name_in_two_namespaces_are_two(tmp_path):
    here, there = enum(symbols=["a", "b"]), enum(namespace="org.other", symbols=["c", "d"])
    schema = record(("v", here), ("w", there), ("x", "Plan"), ("y", "org.other.Plan"), namespace="com.acme")
    assert landed(tmp_path, header(schema) + block(1, b"\0\0\2\2")) == [("a", "c", "b", "d")]


@pytest.mark.parametrize("name", ["row", "r", "f0", "record"])
def test_a_record_within_a_row_may_have_any_name(tmp_path, name):
    inner = {"type": "record", "name": name, "fields": [{"name": "f0", "type": "string"}]}
    schema = (
        record(("x", ["null", inner]), ("y", name)) if name not in {"r", "record"} else record(("x", ["null", inner]))
    )
    rows = b"\2" + sized("a") + (sized("b") if len(schema["fields"]) > 1 else b"")
    (found,) = landed(tmp_path, header(schema) + block(1, rows))
    assert found == ('{"f0": "a"}', '{"f0": "b"}')[: len(schema["fields"])]


@pytest.mark.parametrize("symbol", ["free-trial", "N/A", "", "größe", "1st", "a b", "🎈"])
def test_a_symbol_is_any_text(tmp_path, symbol):
    schema = record(("x", ["null", enum(symbols=["FREE", symbol])]))
    assert landed(tmp_path, header(schema) + block(2, b"\2\2\2\0")) == [(symbol,), ("FREE",)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "declared", [{"type": {"type": ["null", "string"]}}, {"type": ["null", {"type": {"type": "string"}}]}]
)
def test_types_may_be_wrapped(tmp_path, declared, codec):
    content = header(record(("x", declared)), codec) + block(2, b"\2" + sized("a") + b"\0", codec)
    assert landed(tmp_path, content) == [("a",), (None,)]


def test_a_deflated_block_of_nothing_is_one_of_no_rows(tmp_path):
    content = header(record(("x", "string")), "deflate") + stored_block(0, b"")
    assert landed(tmp_path, content + block(1, sized("a"), "deflate"), content) == [("a",)]
    assert landed(tmp_path, content) == []


@pytest.mark.parametrize(
    ("unscaled", "scale", "text"),
    [
        (0, 10, "0"),
        (0, 2, "0"),
        (1, 7, "0.0000001"),
        (1000, 10, "0.0000001"),
        (-1, 10, "-0.0000000001"),
        (1234, 2, "12.34"),
        (1250, 2, "12.5"),
        (-1200, 2, "-12"),
        (5, 0, "5"),
        (10**30, 2, "1" + "0" * 28),
        (10**30 + 1, 2, "1" + "0" * 28 + ".01"),
    ],
)
@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("optional", [False, True])
def test_a_decimal_is_its_digits(tmp_path, unscaled, scale, text, fixed, optional):  # noqa: PLR0917 (drawn from lists)
    base = {"type": "fixed", "name": "money", "size": 16} if fixed else {"type": "bytes"}
    kind = {**base, "logicalType": "decimal", "precision": 38, "scale": scale}
    content = unscaled.to_bytes(16, signed=True)
    rows = b"\2" * optional + (content if fixed else sized(content))
    assert landed(tmp_path, header(record(("x", ["null", kind] if optional else kind))) + block(1, rows)) == [(text,)]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("com.acme.Plan", "declares a value of the type 'com.acme.Plan', which it does not define"),
        (["null", "strng"], "declares a value of the type 'strng', which it does not define"),
        ({"name": "x"}, 'declares {"name": "x"}, which has no type'),
        ([], "declares a union of no types"),
        (5, "declares 5 as a type"),
        (None, "declares null as a type"),
        ({"type": "enum", "name": "e"}, "but an enum has texts as its symbols"),
        ({"type": "enum", "name": "e", "symbols": [1]}, "but an enum has texts as its symbols"),
        ({"type": "fixed", "name": "e"}, "but a fixed has a number of bytes as its size"),
        ({"type": "fixed", "name": "e", "size": -1}, "but a fixed has a number of bytes as its size"),
        ({"type": "array"}, "but an array has a type of its items"),
        ({"type": "map"}, "but a map has a type of its values"),
        ({"type": "record", "name": "s"}, "which has fields"),
        ({"type": "record", "name": "s", "fields": [{"name": "y"}]}, 'declares {"name": "y"} as a field'),
        ({"type": "enum", "name": 5, "symbols": ["A"]}, "but names and namespaces are texts"),
    ],
)
def test_what_is_wrong_with_a_declaration_is_said_as_that(tmp_path, kind, said):
    message = refused(tmp_path, header(record(("x", kind))) + block(1, b"\0"))
    assert said in message
    assert "damaged" not in message


def test_a_codec_that_nobody_knows_is_named(tmp_path):
    said = refused(tmp_path, header(record(("x", "long")), "lz4") + block(1, b"\2"))
    assert said == "is compressed by 'lz4', known are bzip2, deflate, null, snappy, xz, zstandard"
