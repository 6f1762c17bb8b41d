"""What every engine holds to: tasks in order, each key in exactly one bucket, all rows in any number of buckets."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heap_assets.engines.engine import Engine, bucket_of
from heap_assets.engines.local import LocalEngine

ENGINES = [LocalEngine(), LocalEngine(at_once=1)]
USERS = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9), max_size=40)


@dataclass(frozen=True)
class Rows:
    table: str
    rows: pl.LazyFrame
    key: pl.Expr


def counted(_bucket: int, frames: Mapping[str, pl.LazyFrame]) -> list[tuple[int, str, int]]:
    of = [rows.select("user", pl.lit(name).alias("table")) for name, rows in frames.items()]
    return pl.concat(of).group_by("user", "table").len().collect().rows()


@pytest.mark.parametrize("engine", ENGINES, ids=repr)
def test_tasks_give_what_they_return_in_their_order(engine: Engine):
    squares = [number * number for number in range(20)]
    assert list(engine.each([lambda number=number: number * number for number in range(20)])) == squares
    assert list(engine.each([])) == []


@pytest.mark.parametrize("engine", ENGINES, ids=repr)
def test_the_error_of_a_task_is_raised_where_its_result_is_asked_for(engine: Engine):
    results = engine.each([lambda: 1, lambda: 1 // 0, lambda: 3])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)


@pytest.mark.parametrize("buckets", [1, 2, 7])
@pytest.mark.parametrize("engine", ENGINES, ids=repr)
@given(sessions=USERS, views=USERS)
def test_every_user_is_in_one_bucket_with_all_rows_of_every_table(engine, buckets, sessions, views):
    tables = {"sessions": sessions, "views": views}
    readings = [
        Rows(name, pl.LazyFrame({"user": pl.Series(users, dtype=pl.Int64)}), pl.col("user"))
        for name, users in tables.items()
    ]
    parts = engine.by_key(readings, buckets, counted)
    assert len(parts) == buckets
    found = sorted(row for part in parts for row in part)
    assert found == sorted({(one, name, users.count(one)) for name, users in tables.items() for one in users})
    of_bucket = [{user for user, *_ in part} for part in parts]
    assert sum(map(len, of_bucket)) == len(set().union(*of_bucket))


def test_a_key_is_in_the_same_bucket_in_every_process_and_release():
    keys = pl.Series([0, 1, -1, 2**62, 7919])
    assert pl.select(bucket_of(pl.lit(keys), 1000)).to_series().to_list() == [0, 884, 763, 912, 12]
