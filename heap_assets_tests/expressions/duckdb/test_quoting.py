"""Quoting: DuckDB sees every name, text and path as it is, whatever is in it.

Here: identifiers, literals, file lists. Not here: statements (targets/duckdb/test_views.py,
targets/duckdb/test_file.py).
"""

from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heap_assets.expressions.duckdb.quoting import file_list, identifier, literal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=100, deadline=None)
@given(TEXTS.filter(bool))
@example('"')
@example('a".b; DROP TABLE x --')
@example("select")
@example(" ")
@example("\0")
@example("{}")
def test_any_name_but_the_empty_one_is_an_identifier(name):
    cursor = _connection().cursor().execute(f"SELECT 1 AS {identifier(name)}")
    assert [column for column, *_ in cursor.description] == [name]


@settings(max_examples=100, deadline=None)
@given(TEXTS)
@example("it's")
@example("\\'")
@example("?$1%s")
@example("a\0b\n")
def test_any_text_is_a_literal(text):
    assert _connection().cursor().execute(f"SELECT {literal(text)}").fetchone() == (text,)


def test_the_parts_of_an_identifier_are_quoted_one_by_one():
    assert identifier("a.b", 'c"d') == '"a.b"."c""d"'


@pytest.mark.parametrize(
    "name", ["[ab]*.parquet", "?.parquet", "it's {x}.parquet", "**.parquet", "%41 ü.parquet", "]["]
)
def test_a_path_is_that_file_and_no_pattern(tmp_path: Path, name: str):
    folder = tmp_path / "[a-z] *"
    folder.mkdir()
    for other in ("a.parquet", "b.parquet", "x.parquet"):
        pl.DataFrame({"found": [other]}).write_parquet(folder / other)
    pl.DataFrame({"found": [name]}).write_parquet(folder / name)
    query = f"SELECT found FROM read_parquet({file_list([str(folder / name), str(folder / 'a.parquet')])}) ORDER BY ALL"
    assert _connection().cursor().execute(query).fetchall() == sorted([(name,), ("a.parquet",)])
