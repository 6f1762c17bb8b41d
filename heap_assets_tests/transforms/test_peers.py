"""Side by side on the same data: funnels with chDB's windowFunnel, sessions of pageviews with DuckDB's SQL windows.

windowFunnel (strict_increase) keeps one chain per step, so of events of one user at one moment it may follow the wrong
one; it is asked only where no two events of a user share a moment. Not here: speed (benchmarks/).
"""

from datetime import datetime, timedelta
from pathlib import Path

import chdb
import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.funnels import funnel_steps, funnel_users
from heap_assets.transforms.analytics.pageview_sessions import heap_pageviews

NINE = datetime(2024, 6, 1, 9)  # noqa: DTZ001 (UTC without zone, as stored)
NAMES = ["view", "add", "order"]
SESSIONS_IN_SQL = """
WITH marked AS (
  SELECT *, coalesce(time - lag(time) OVER w > INTERVAL 30 MINUTE, FALSE) AS begins FROM views
  WINDOW w AS (PARTITION BY user_id ORDER BY time, event_id)
), numbered AS (
  SELECT *, sum(begins::INT) OVER (PARTITION BY user_id ORDER BY time, event_id ROWS UNBOUNDED PRECEDING) AS index
  FROM marked
)
SELECT event_id, user_id || '-' || index, row_number() OVER s, min(time) OVER p, max(time) OVER p,
       first(event_id) OVER p, last(event_id) OVER p
FROM numbered
WINDOW s AS (PARTITION BY user_id, index ORDER BY time, event_id),
       p AS (s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
ORDER BY 1
"""
COLUMNS = (
    "id",
    "sequence_number",
    "start_time",
    "end_time",
    "first_pageview_id",
    "last_pageview_id",
)


@st.composite
def events(draw: st.DrawFn) -> pl.DataFrame:
    """Draw events of three steps, no two of a user at one moment."""
    times = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 40)), unique=True, max_size=60))
    return pl.DataFrame(
        {
            "heap_user_id": [user for user, _ in times],
            "heap_session_id": 1,
            "heap_event_id": range(len(times)),
            "time": [NINE + timedelta(minutes=minute) for _, minute in times],
            "step": [draw(st.integers(1, 3)) for _ in times],
        },
        schema_overrides=dict.fromkeys(("heap_user_id", "heap_session_id", "heap_event_id", "step"), pl.Int64)
        | {"time": pl.Datetime("us")},
    )


@pytest.mark.parametrize("window", [timedelta(minutes=10), None])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=events())
def test_a_funnel_is_what_window_funnel_finds(tmp_path, window, drawn):
    reached = funnel_users(drawn, funnel="f", step_names=NAMES, window=window)
    steps = funnel_steps(reached.lazy(), funnel="f", step_names=NAMES).collect()

    levels = window_funnel(drawn, tmp_path / "events.parquet", window or timedelta(days=365))

    completed = dict(reached.select("heap_user_id", "steps_completed").unique().iter_rows())
    assert completed == {user: level for user, level in levels.items() if level}
    assert steps["users"].to_list() == [sum(level >= step for level in levels.values()) for step in (1, 2, 3)]


def window_funnel(rows: pl.DataFrame, file: Path, window: timedelta) -> dict[int, int]:
    """Return how many steps each user completed, as ClickHouse counts them."""
    rows.with_columns(pl.col("time").to_physical().alias("at")).drop("time").write_parquet(file)
    micros = window // timedelta(microseconds=1)
    answer = chdb.query(
        f"SELECT heap_user_id, windowFunnel({micros}, 'strict_increase')(toUInt64(at), step = 1, step = 2, step = 3)"
        f" FROM file('{file}', Parquet) GROUP BY heap_user_id",
        "CSV",
    )
    lines = (line.split(",") for line in str(answer).splitlines())
    return {int(user): int(level) for user, level in lines}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([0, 1, 29, 30, 31, 60, 61, 90]), st.booleans()), max_size=25)
)
def test_sessions_of_pageviews_are_what_sql_windows_find(drawn):
    views = pl.DataFrame(
        {
            "event_id": range(len(drawn)),
            "user_id": [user for user, *_ in drawn],
            "time": [NINE + timedelta(minutes=minute, microseconds=late) for _, minute, late in drawn],
        },
        schema={"event_id": pl.Int64, "user_id": pl.Int64, "time": pl.Datetime("us")},
    )
    with duckdb.connect() as connection:
        columns = "event_id BIGINT, user_id BIGINT, time TIMESTAMP"
        connection.execute(f"CREATE TABLE views ({columns})")
        if len(views):
            connection.executemany("INSERT INTO views VALUES (?, ?, ?)", views.rows())
        expected = connection.execute(SESSIONS_IN_SQL).fetchall()

    found = heap_pageviews(views).sort("heap_pageview_id")

    assert found.select("heap_pageview_id", *(f"heap_pageview_session_{name}" for name in COLUMNS)).rows() == expected
