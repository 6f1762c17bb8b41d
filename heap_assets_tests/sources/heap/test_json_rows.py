"""JSON where Heap may send it: lists, objects and lines, each value in the type in which it came.

Here: contents. Not here: which files may be JSON (pipeline/).
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.json_rows import json_row_count, read_json_rows

TEXT, LONG, DOUBLE, BOOLEAN = ValueType.TEXT, ValueType.LONG, ValueType.DOUBLE, ValueType.BOOLEAN
Columns = dict[str, dict[ValueType, list]]


def json_columns(content: str | bytes) -> Columns:
    decoded = read_json_rows(content if isinstance(content, bytes) else content.encode())
    frame = decoded.frame.collect()
    return {
        name: {kind: frame[column].to_list() for kind, column in types.items()}
        for name, types in decoded.sources.items()
    }


def test_json_may_be_a_list_one_object_or_lines():
    expected: Columns = {"a": {LONG: [1, 2]}}
    assert json_columns('[{"a": 1}, {"a": 2}]') == expected
    assert json_columns('{"a": 1}\n{"a": 2}\n') == json_columns('{"a": 1}\r\n\r\n{"a": 2}') == expected
    assert json_columns('{"a": 1}') == {"a": {LONG: [1]}}
    assert json_columns('\ufeff[{"a": 1}, {"a": 2}]') == expected
    for nothing in ("", "[]", "\n"):
        assert json_columns(nothing) == {}
        assert json_row_count(nothing.encode()) == 0


def test_a_line_of_json_may_hold_what_others_take_for_the_end_of_a_line():
    assert json_columns('{"a": "x\u2028y\x85z"}\n{"a": "b"}') == {"a": {TEXT: ["x\u2028y\x85z", "b"]}}


def test_json_values_keep_their_types_and_rows_may_differ():
    rows = [{"a": 1, "b": True}, {"a": "x", "c": None}, {"a": 0.5}, {"a": 2**63, "d": [1, {"e": "ü"}]}]
    assert json_columns(json.dumps(rows)) == {
        "a": {DOUBLE: [None, None, 0.5, None], LONG: [1, None, None, None], TEXT: [None, "x", None, str(2**63)]},
        "b": {BOOLEAN: [True, None, None, None]},
        "c": {TEXT: [None] * 4},
        "d": {TEXT: [None, None, None, '[1, {"e": "ü"}]']},
    }


def test_a_row_without_values_is_a_row():
    decoded = read_json_rows(b"[{}, {}]")
    assert decoded.frame.with_row_index().collect().height == json_row_count(b"[{}, {}]") == 2


def test_half_a_surrogate_pair_becomes_a_question_mark():
    assert json_columns('{"a\\ud800": "x\\udc00", "b": "\\ud83c\\udf88"}') == {
        "a?": {TEXT: ["x?"]},
        "b": {TEXT: ["🎈"]},
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no json", "is neither Avro nor JSON"),
        ("[" * 100_000, "is neither Avro nor JSON"),
        ("[1]", "has 1 as its row 1, which is not a JSON object"),
        ('{"a": 1}\n[2]', "has [2] as its row 2"),
        ('[{"a": 1}, null]', "has null as its row 2"),
        ('[{"": 1}]', 'has {"": 1} as its row 1'),
        (b"\xff\xfe\x00", "is neither Avro nor JSON"),
    ],
)
def test_what_is_no_json_of_rows_is_an_error_that_says_where(content, said):
    with pytest.raises(UnreadableFileError) as unreadable:
        json_columns(content)
    assert said in str(unreadable.value)


_values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=5)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text(min_size=1, max_size=3), _values, max_size=3), max_size=6), st.booleans())
def test_every_json_value_is_in_one_column_of_its_name(rows, as_lines):
    text = "\n".join(map(json.dumps, rows)) if as_lines else json.dumps(rows)
    columns = json_columns(text)
    assert set(columns) == {name for row in rows for name in row}
    for name, types in columns.items():
        for place, row in enumerate(rows):
            found = [values[place] for values in types.values() if values[place] is not None]
            value = row.get(name)
            is_large = isinstance(value, int) and not -(2**63) <= value < 2**63
            assert found == ([] if value is None else [str(value) if is_large else value])
