"""The published file: built beside the old one, swapped in whole, with names and comments as they are.

Here: the file. Not here: what is in it (test_views.py, pipeline/).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import polars as pl
import pytest

from heap_assets.expressions.duckdb.quoting import identifier
from heap_assets.targets.duckdb import file as publisher
from heap_assets.targets.duckdb.file import PublishedFile, new_file

HOSTILE = [
    "select",
    "order",
    "a.b",
    'a"b',
    "it's",
    "a b",
    " ",
    "ä🎈",
    "a/b\\c",
    "a;b--",
    "/*",
    "{x}",
    "%s",
    "main",
    "temp",
    "information_schema",
    "a\nb",
    "1st",
    "_",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new folder [*]" / "it's heap.duckdb"


def publish(path: Path, build: Callable[[PublishedFile], None]) -> None:
    with new_file(path) as file:
        build(file)


def ask(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).fetchall()


def only_table(value: str) -> Callable[[PublishedFile], None]:
    def build(file: PublishedFile) -> None:
        file.add_schema("s")
        file.add_table("s", "t", f"SELECT '{value}' AS x")

    return build


def test_a_table_is_made_of_a_frame_or_of_a_select_and_a_view_of_a_select(path):
    frame = pl.DataFrame({"a": [1, None], "b": ["x", "y"]}, schema={"a": pl.Int64, "b": pl.String})
    with new_file(path) as file:
        file.add_schema("s")
        file.add_table("s", "of_frame", frame)
        file.add_table("s", "of_select", "SELECT 5 AS a")
        file.add_view("s", "view", "SELECT a + 1 AS a FROM s.of_select")
        assert file.columns()["s", "of_frame"] == {"a": "BIGINT", "b": "VARCHAR"}
        assert file.columns()["s", "view"] == {"a": "INTEGER"}
    assert ask(path, "SELECT * FROM s.of_frame ORDER BY b") == [(1, "x"), (None, "y")]
    assert ask(path, "SELECT * FROM s.view") == [(6,)]


def test_a_frame_without_rows_keeps_its_columns(path):
    schema = {"t": pl.Datetime("us"), "n": pl.Int64, "b": pl.Boolean, "d": pl.Float64, "s": pl.String}
    with new_file(path) as file:
        file.add_schema("s")
        file.add_table("s", "empty", pl.DataFrame(schema=schema))
        types = ["TIMESTAMP", "BIGINT", "BOOLEAN", "DOUBLE", "VARCHAR"]
        assert file.columns()["s", "empty"] == dict(zip(schema, types, strict=True))


def test_a_new_file_replaces_the_old_one_and_leaves_nothing_beside(path):
    publish(path, only_table("old"))
    publish(path, only_table("new"))
    assert ask(path, "SELECT x FROM s.t") == [("new",)]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_reader_that_has_the_old_file_open_keeps_it_and_stops_nobody(path):
    publish(path, only_table("old"))
    with duckdb.connect(path, read_only=True) as reader:
        publish(path, only_table("new"))
        assert reader.execute("SELECT x FROM s.t").fetchall() == [("old",)]
    assert ask(path, "SELECT x FROM s.t") == [("new",)]


def test_a_build_that_fails_leaves_the_old_file_and_nothing_beside(path):
    publish(path, only_table("old"))

    def fail(file: PublishedFile) -> None:
        file.add_schema("s")
        file.add_view("s", "broken", "SELECT * FROM s.nowhere")

    with pytest.raises(duckdb.CatalogException):
        publish(path, fail)
    assert ask(path, "SELECT x FROM s.t") == [("old",)]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_a_killed_build_left_is_removed_and_other_files_are_not(path):
    path.parent.mkdir()
    for name in (f".{path.name}.abc.tmp", f".{path.name}.abc.tmp.wal", ".other.duckdb.abc.tmp", "notes.tmp"):
        (path.parent / name).touch()
    publish(path, only_table("new"))
    assert {file.name for file in path.parent.iterdir()} == {path.name, ".other.duckdb.abc.tmp", "notes.tmp"}


def test_tables_and_columns_may_have_any_name(path):
    columns = {name: [f"in {name}"] for name in HOSTILE}
    with new_file(path) as file:
        file.add_schema("s")
        for name in HOSTILE:
            file.add_table("s", name, pl.DataFrame(columns))
            file.add_view("s", f"{name}2", f"SELECT * FROM {identifier('s', name)}")
            file.comment("s", name, about=f"about '{name}'", columns={name: f"of '{name}'"}, is_view=False)
        assert file.columns()["s", HOSTILE[0]] == dict.fromkeys(HOSTILE, "VARCHAR")
    for name in HOSTILE:
        assert ask(path, f"SELECT {identifier(name)} FROM {identifier('s', name + '2')}") == [(f"in {name}",)]
    comments = ask(path, "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 's'")
    assert dict(comments) == {name: f"about '{name}'" for name in HOSTILE}


@pytest.mark.parametrize("schema", [name for name in HOSTILE if name not in {"main", "temp", "information_schema"}])
def test_a_schema_may_have_any_name(path, schema):
    with new_file(path) as file:
        file.add_schema(schema)
        file.add_table(schema, "a.b", "SELECT 1 AS x")
    found = "SELECT schema_name, table_name FROM duckdb_tables() WHERE schema_name <> '_heap_assets'"
    assert ask(path, found) == [(schema, "a.b")]


def test_tables_views_and_columns_bear_their_comments(path):
    with new_file(path) as file:
        file.add_schema("s")
        file.add_table("s", "t", "SELECT 1 AS a, 2 AS b")
        file.add_view("s", "v", "SELECT * FROM s.t")
        file.comment("s", "t", about='It\'s a "table"', columns={"a": "Größe 🎈"}, is_view=False)
        file.comment("s", "v", about="A view", columns={"b": "Two"}, is_view=True)
    assert ask(path, "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 's'") == [
        ("t", 'It\'s a "table"')
    ]
    assert ask(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'v'") == [("A view",)]
    columns = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 's' ORDER BY ALL"
    assert ask(path, columns) == [("t", "a", "Größe 🎈"), ("t", "b", None), ("v", "a", None), ("v", "b", "Two")]


def test_a_schema_may_be_asked_for_twice(path):
    with new_file(path) as file:
        file.add_schema("s")
        file.add_schema("s")
    assert ("s",) in ask(path, "SELECT schema_name FROM duckdb_schemas()")


def made(path: Path, monkeypatch) -> list[str]:
    """Record the statements of publications from here on."""
    told: list[str] = []
    real = duckdb.connect

    class Recorded:
        def __init__(self, *args, **more) -> None:
            self.connection = real(*args, **more)

        def execute(self, statement: str, *args):
            told.append(statement)
            return self.connection.execute(statement, *args)

        def __getattr__(self, name: str):
            return getattr(self.connection, name)

    monkeypatch.setattr(publisher.duckdb, "connect", Recorded)
    return told


def two_views(
    first: str, about: str = "about", columns: Mapping[str, str] | None = None
) -> Callable[[PublishedFile], None]:
    def build(file: PublishedFile) -> None:
        file.add_schema("s")
        file.add_view("s", "v", first)
        file.add_view("s", "w", "SELECT 2 AS b")
        file.comment("s", "v", about=about, columns=columns or {}, is_view=True)

    return build


def test_a_view_that_stays_the_same_is_not_made_again(path, monkeypatch):
    publish(path, two_views("SELECT 1 AS a"))
    told = made(path, monkeypatch)
    publish(path, two_views("SELECT 1 AS a"))
    assert [statement for statement in told if "VIEW" in statement and '"s"' in statement] == []
    monkeypatch.undo()
    assert ask(path, "SELECT a, b FROM s.v, s.w") == [(1, 2)]
    assert ask(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'v'") == [("about",)]


def test_a_view_that_changed_is_made_again_with_its_comment_and_another_stays(path, monkeypatch):
    publish(path, two_views("SELECT 1 AS a"))
    told = made(path, monkeypatch)
    publish(path, two_views("SELECT 'x' AS a, 5 AS more"))
    assert len([statement for statement in told if statement.startswith("CREATE VIEW")]) == 1
    monkeypatch.undo()
    assert ask(path, "SELECT a, more, b FROM s.v, s.w") == [("x", 5, 2)]
    assert ask(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'v'") == [("about",)]
    publish(path, two_views("SELECT 'x' AS a, 5 AS more", about="now about more"))
    assert ask(path, "SELECT comment FROM duckdb_views() WHERE view_name = 'v'") == [("now about more",)]


ALTERED = {
    "the view": "CREATE OR REPLACE VIEW s.w AS SELECT 3 AS b",
    "the view, keeping its comment": "CREATE OR REPLACE VIEW s.v AS SELECT 2 AS a; COMMENT ON VIEW s.v IS 'about'",
    "its comment": "COMMENT ON VIEW s.v IS 'theirs'",
    "a comment that it has not": "COMMENT ON VIEW s.w IS 'theirs'",
    "the comment of a column": "COMMENT ON COLUMN s.v.a IS 'theirs'",
    "a comment taken away": "COMMENT ON COLUMN s.v.a IS NULL",
    "a table in its place": "DROP VIEW s.w; CREATE TABLE s.w AS SELECT 2 AS b",
    "the view dropped": "DROP VIEW s.w",
}


@pytest.mark.parametrize("statements", ALTERED.values(), ids=ALTERED)
def test_a_view_that_somebody_altered_in_the_file_is_put_right_and_another_stays(path, monkeypatch, statements):
    said = """
        SELECT view_name, sql, comment FROM duckdb_views() WHERE schema_name = 's'
        UNION ALL SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 's' ORDER BY ALL
    """
    build = two_views("SELECT 1 AS a", columns={"a": "One"})
    publish(path, build)
    before = ask(path, said)
    with duckdb.connect(path) as connection:
        connection.execute(statements)
    assert ask(path, said) != before
    told = made(path, monkeypatch)
    publish(path, build)
    assert len([statement for statement in told if statement.startswith("CREATE VIEW")]) == 1
    monkeypatch.undo()
    assert ask(path, said) == before
    assert ask(path, "SELECT a, b FROM s.v, s.w") == [(1, 2)]


NOTES = {
    "of a version before": "ALTER TABLE _heap_assets.views DROP COLUMN held",
    "of other columns": "CREATE OR REPLACE TABLE _heap_assets.views AS SELECT 1 AS one",
    "missing": "DROP TABLE _heap_assets.views",
    "a view": "DROP TABLE _heap_assets.views; CREATE VIEW _heap_assets.views AS SELECT 1 AS one",
}


@pytest.mark.parametrize("statements", NOTES.values(), ids=NOTES)
def test_a_file_whose_notes_are_not_as_ours_is_made_anew(path, statements):
    publish(path, two_views("SELECT 1 AS a"))
    with duckdb.connect(path) as connection:
        connection.execute(f"{statements}; CREATE MACRO s.theirs(x) AS x; CREATE OR REPLACE VIEW s.w AS SELECT 3 AS b")
    publish(path, two_views("SELECT 1 AS a"))
    assert ask(path, "SELECT a, b FROM s.v, s.w") == [(1, 2)]
    assert ask(path, "SELECT count(*) FROM duckdb_functions() WHERE function_name = 'theirs'") == [(0,)]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_what_is_not_made_any_more_is_gone_with_its_schema_and_so_is_what_others_put_there(path):
    publish(path, two_views("SELECT 1 AS a"))
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE s.mine AS SELECT 1 AS x")
        connection.execute("CREATE SCHEMA theirs; CREATE VIEW theirs.v AS SELECT 1; CREATE MACRO theirs.m(x) AS x + 1")

    def another(file: PublishedFile) -> None:
        file.add_schema("t")
        file.add_table("t", "v", "SELECT 7 AS x")

    publish(path, another)
    found = "SELECT schema_name, table_name FROM duckdb_columns() WHERE NOT internal AND schema_name <> '_heap_assets'"
    assert ask(path, found) == [("t", "v")]
    assert ask(path, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name IN ('s', 'theirs')") == [(0,)]


def test_a_view_may_become_a_table_or_change_the_case_of_its_name(path):
    publish(path, two_views("SELECT 1 AS a"))

    def another(file: PublishedFile) -> None:
        file.add_schema("s")
        file.add_table("s", "V", "SELECT 8 AS a")
        file.add_view("s", "W", "SELECT 9 AS b")

    publish(path, another)
    assert ask(path, "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 's' ORDER BY ALL") == [
        ("V", "a"),
        ("W", "b"),
    ]
    publish(path, two_views("SELECT 1 AS a"))
    assert ask(path, "SELECT a, b FROM s.v, s.w") == [(1, 2)]


def test_a_file_that_is_no_database_is_replaced(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all")
    publish(path, two_views("SELECT 1 AS a"))
    assert ask(path, "SELECT a FROM s.v") == [(1,)]


def test_the_file_does_not_grow_from_publication_to_publication(path):
    rows = pl.DataFrame({"x": range(200_000)})

    def build(file: PublishedFile) -> None:
        file.add_schema("s")
        file.add_table("s", "t", rows.select(pl.col("x").shuffle()))

    sizes = []
    for _ in range(6):
        publish(path, build)
        sizes.append(path.stat().st_size)
    assert max(sizes) < 3 * sizes[0]
    assert sizes[-1] <= max(sizes[:-1])
