"""Views over the lake's Parquet: the same values as the Polars reading, under published names, without losers.

Here: SELECTs over small files. Not here: computed properties (expressions/test_labeled.py), whole exports (pipeline/).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heap_assets.expressions.polars.reading import read_column
from heap_assets.schema.all_events import union_columns
from heap_assets.schema.labeled import Case, Clause, Constant, Definition
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, stored_name
from heap_assets.schema.table_schema import TableSchema, schema_of_files
from heap_assets.schema.value_types import ValueType
from heap_assets.targets.duckdb.views import Lake, migrated_select, raw_select, union_select, with_labeled
from heap_assets.targets.relation import Files, OnResolvedUsers, ResolvedFiles, Union, WithLabeled

NOON = datetime(2024, 6, 1, 12)  # noqa: DTZ001 (UTC without zone, as stored)
IDS = {"event_id$long": [7, 8, 9], "user_id$long": [1, 2, 3], "time$time": [NOON, None, NOON]}
POLARS = {kind.duckdb: kind.polars for kind in ValueType}
Columns = dict[str, list]


@dataclass
class Stored:
    """A stored file, as shapes want it."""

    path: str
    rows: int
    nulls: dict[str, int]


def resolved(shape: TableSchema, *, migrated: bool = False) -> ResolvedFiles:
    """Return the rows of a table; where they are the Lake says."""
    names = shape.names_in_migrated() if migrated else shape.names_in_s()
    return ResolvedFiles(table_schema=shape, names=names, files=(), alike=True, superseded=None)


class Folder:
    """A folder of stored files, and DuckDB."""

    def __init__(self, root: Path) -> None:
        self.root = root / "lake [*]"
        self.root.mkdir()
        self.connection = duckdb.connect()
        self.next_row = 0

    def store(self, columns: Columns) -> Stored:
        height = len(next(iter(columns.values())))
        types = {name: ValueType(name.partition("$")[2] or "text").polars for name in columns}
        frame = pl.DataFrame(columns, schema=types).insert_column(
            0, pl.Series(ROW_ID, range(self.next_row, self.next_row + height), dtype=pl.Int64)
        )
        path = self.root / f"{self.next_row}.parquet"
        frame.with_columns(pl.lit(1, dtype=pl.Int64).alias(DUMP_ID)).write_parquet(path)
        self.next_row += height
        return Stored(str(path), height, {name: frame[name].null_count() for name in columns})

    def table(self, name: str, *files: Columns, superseded: Sequence[int] = ()) -> tuple[ResolvedFiles, Lake]:
        stored = [self.store(columns) for columns in files]
        lost = None
        if superseded:
            lost = '"lost"'
            self.connection.execute(f"CREATE OR REPLACE TABLE lost AS SELECT unnest({[*superseded]}) AS row_id")
        alike = len({frozenset(file.nulls) for file in stored}) == 1
        lake = Lake(files=[file.path for file in stored], alike=alike, superseded=lost)
        return resolved(schema_of_files(name, stored)), lake

    def ask(self, query: str) -> pl.DataFrame:
        found = self.connection.cursor().execute(query)
        schema = {name: POLARS[str(kind)] for name, kind, *_ in found.description}
        return pl.DataFrame(found.fetchall(), schema=schema, orient="row")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def raw(folder: Folder) -> Callable[..., pl.DataFrame]:
    """Return the rows of a table of these files, without migrations."""
    return lambda *files, name="signup", superseded=(): folder.ask(
        raw_select(*folder.table(name, *files, superseded=superseded))
    )


def test_a_column_keeps_its_values_and_type(raw):
    found = raw({**IDS, "plan": ["a", None, ""], "price$double": [0.5, None, 1.0], "ok$boolean": [True, False, None]})
    assert found.to_dict(as_series=False) == {
        "event_id": [7, 8, 9],
        "user_id": [1, 2, 3],
        "time": [NOON, None, NOON],
        "ok": [True, False, None],
        "plan": ["a", None, ""],
        "price": [0.5, None, 1.0],
    }


def test_files_with_other_columns_are_read_by_name(raw):
    found = raw({**IDS, "plan": ["a"] * 3}, {"price$long": [5] * 3, **IDS})
    assert found["plan"].to_list() == ["a"] * 3 + [None] * 3
    assert found["price"].to_list() == [None] * 3 + [5] * 3


def test_a_column_of_several_types_is_read_in_the_one_that_holds_them_all(raw):
    found = raw({**IDS, "x$long": [5, None, None], "x$double": [None, 0.5, None], "x": [None, None, "a"]})
    assert found["x"].to_list() == ["5", "0.5", "a"]
    found = raw({**IDS, "x$long": [5, None, None], "x$double": [None, 0.5, None]})
    assert found["x"].to_list() == [5.0, 0.5, None]


def test_a_column_that_is_null_throughout_is_text(raw):
    assert raw({**IDS, "x$long": [None] * 3}).schema["x"] == pl.String


def test_names_that_duckdb_cannot_tell_apart_get_a_suffix(raw):
    names = ("Plan", "plan", "PLAN", 'a".b')
    found = raw({**IDS, **{stored_name(name, ValueType.TEXT): [name] * 3 for name in names}})
    values = {name: found[name][0] for name in found.columns[len(IDS) :]}
    assert values == {"PLAN": "PLAN", "Plan_2": "Plan", 'a".b': 'a".b', "plan_3": "plan"}


def test_superseded_rows_and_rows_without_their_ids_are_left_out(raw):
    rows = {"event_id$long": [7, None, 9, 10], "user_id$long": [1, 2, None, 4], "time$time": [None] * 4}
    assert raw(rows, superseded=[3])["event_id"].to_list() == [7]


def test_a_table_without_files_has_its_columns_and_no_rows(folder):
    shape = schema_of_files("signup", [], manifest_columns=["event_id", "plan"])
    found = folder.ask(raw_select(resolved(shape), Lake(files=[], alike=False)))
    assert found.height == 0
    assert found.schema == {"event_id": pl.Int64, "user_id": pl.Int64, "time": pl.Datetime("us"), "plan": pl.String}


def users(folder: Folder, recorded: Sequence[int], became: dict[int, int]) -> str:
    """Make the table of whom each recorded user is resolved to; return its quoted name."""
    pairs = ", ".join(f"({user}::BIGINT, {became.get(user, user)}::BIGINT)" for user in recorded)
    folder.connection.execute(
        f'CREATE TABLE "every user" AS SELECT * FROM (VALUES {pairs}) v(user_id, resolved_user_id)'
    )
    return '"every user"'


def migrated(folder: Folder, columns: Columns, *, became: dict[int, int]) -> pl.DataFrame:
    table, lake = folder.table("signup", columns)
    table = resolved(table.table_schema, migrated=True)
    user_map = users(folder, columns["user_id$long"], became)
    on_resolved = OnResolvedUsers(recorded=table, user_map="")
    return folder.ask(migrated_select(on_resolved, recorded=f"({raw_select(table, lake)})", users=user_map))


def test_a_merged_user_is_the_resolved_one_and_the_recorded_one_stands_beside(folder):
    found = migrated(folder, IDS, became={1: 2, 3: 9})
    assert found["user_id"].to_list() == [2, 2, 9]
    assert found["original_user_id"].to_list() == [1, 2, 3]
    assert found["event_id"].to_list() == [7, 8, 9]


def test_a_delivered_original_user_id_gives_way_to_ours(folder):
    found = migrated(folder, {**IDS, "original_user_id$long": [70, 80, 90]}, became={})
    assert found["original_user_id"].to_list() == [1, 2, 3]
    assert found["original_user_id_2"].to_list() == [70, 80, 90]


def test_all_events_is_every_table_by_column_name_with_types_resolved_across_them(folder):
    folder.connection.execute('CREATE SCHEMA "s"')
    tables = {}
    for name, columns in (
        ("signup", {**IDS, "x$long": [5] * 3}),
        ("Big/Order", {**IDS, "x": ["a"] * 3, "y": ["b"] * 3}),
    ):
        tables[name], lake = folder.table(name, columns)
        folder.connection.execute(f'CREATE VIEW "s"."{name}" AS {raw_select(tables[name], lake)}')
    columns = union_columns([table.table_schema for table in tables.values()], column_set="all")
    relations = {name: f'"s"."{name}"' for name in tables}
    found = folder.ask(union_select(Union(tables=tables, columns=columns), relations))
    assert found.columns == ["event_table_name", "event_id", "user_id", "session_id", "time", "x", "y"]
    assert found["event_table_name"].to_list() == ["signup"] * 3 + ["Big/Order"] * 3
    assert found["x"].to_list() == ["5"] * 3 + ["a"] * 3
    assert found["y"].to_list() == [None] * 3 + ["b"] * 3
    assert found["session_id"].dtype == pl.Int64


def test_all_events_on_resolved_users_has_the_recorded_one_beside(folder):
    table, lake = folder.table("signup", IDS)
    table = resolved(table.table_schema, migrated=True)
    columns = union_columns([table.table_schema], column_set="basic", reserved=["original_user_id"])
    user_map = users(folder, IDS["user_id$long"], {1: 2, 3: 9})
    union = Union(tables={"signup": table}, columns=columns, user_map="")
    query = union_select(union, {"signup": f"({raw_select(table, lake)})"}, resolved_by=user_map)
    found = folder.ask(query)
    assert found["user_id"].to_list() == [2, 2, 9]
    assert found["original_user_id"].to_list() == [1, 2, 3]
    assert folder.ask(f"SELECT event_id FROM ({query}) WHERE user_id = 9")["event_id"].to_list() == [9]


@pytest.mark.parametrize("is_migrated", [True, False])
def test_all_events_over_no_table_has_its_columns(folder, is_migrated):
    resolved_by = users(folder, [1], {}) if is_migrated else None
    found = folder.ask(union_select(Union(tables={}, columns=()), {}, resolved_by=resolved_by))
    assert found.height == 0
    ours = ["original_user_id"] if is_migrated else []
    assert found.columns == ["event_table_name", "event_id", "user_id", "session_id", "time", *ours]


def test_a_computed_property_is_added_where_the_table_lacks_its_column(folder):
    folder.connection.execute("CREATE TABLE base AS SELECT 'gold' AS plan, 'x' AS \"is gold_2\"")
    cases = (Case(Constant("yes"), Clause("plan", "=", Constant("gold"))),)
    definitions = [Definition(name, "event", cases) for name in ("Is Gold", "PLAN", "Ours", "is gold")]
    columns = {"plan": ("plan", ValueType.TEXT), "is gold_2": ("is gold_2", ValueType.TEXT)}
    content = WithLabeled(rows=Files(files=()), columns=columns, definitions=tuple(definitions), ours=("ours",))
    found = folder.ask(with_labeled(content, "SELECT * FROM base"))
    assert set(found.columns) == {"plan", "is gold_2", "Is Gold", "is gold_3", "Ours_2"}
    assert found["Is Gold"].to_list() == ["yes"]
    assert with_labeled(replace(content, definitions=(definitions[1],)), "SELECT 1") == "SELECT 1"


_values = {
    ValueType.TEXT: st.sampled_from(["a", "", "5", "2024-06-01T12:00:00Z", "1717243200", "0", "é"]),
    ValueType.LONG: st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 5, 1_717_243_200]),
    ValueType.DOUBLE: st.floats(allow_nan=False) | st.sampled_from([5.0, 1e16]),
    ValueType.BOOLEAN: st.booleans(),
    ValueType.TIME: st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 (stored so)
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(list(ValueType)), min_size=1, max_size=4), min_size=1, max_size=2), st.data())
def test_duckdb_reads_every_mixture_of_types_as_polars_does(folder, kinds_of_files, data):
    files = []
    for kinds in kinds_of_files:
        columns: Columns = {**IDS, **{stored_name("x", kind): [None] * 3 for kind in kinds}}
        for row in range(3):
            kind = data.draw(st.sampled_from(kinds))
            columns[stored_name("x", kind)][row] = data.draw(_values[kind] | st.none())
        files.append(columns)
    table, lake = folder.table("signup", *files)
    column = table.table_schema.column("x")
    assert column
    wanted = [stored_name("x", kind) for kind in column.stored]
    schema = {name: ValueType(name.partition("$")[2] or "text").polars for name in wanted} | {ROW_ID: pl.Int64()}
    scanned = pl.scan_parquet(
        list(lake.files), schema=schema, missing_columns="insert", extra_columns="ignore", glob=False
    )
    in_polars = scanned.select(ROW_ID, read_column(column)).collect()["x"]
    in_duckdb = folder.ask(raw_select(table, lake))["x"]
    assert in_duckdb.dtype == in_polars.dtype == column.type.polars
    assert in_duckdb.to_list() == in_polars.to_list()
