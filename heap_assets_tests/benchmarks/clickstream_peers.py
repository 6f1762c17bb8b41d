"""The same from the same Parquet without heap_assets: SQL windows in DuckDB, a funnel in DuckDB and in chDB.

Each query is the fastest of those that were tried: sessions by aggregates that are joined back, and a funnel by running
maxima over windows, take longer in DuckDB. Not here: checking that results are equal (analytics.py).
"""

from typing import Any

import chdb
import duckdb

from heap_assets_tests.benchmarks.clickstream import STEPS, WINDOW_DAYS

_STEPS = ", ".join(f"'{step}'" for step in STEPS)
_SESSIONS = """
WITH marked AS (
  SELECT *, coalesce(time - lag(time) OVER w > INTERVAL 30 MINUTE, false) AS begins
  FROM read_parquet($file) WHERE event_table_name = 'pageviews'
  WINDOW w AS (PARTITION BY user_id ORDER BY time, event_id)
), numbered AS (
  SELECT *, sum(begins::INT) OVER (PARTITION BY user_id ORDER BY time, event_id ROWS UNBOUNDED PRECEDING)::BIGINT AS i
  FROM marked
)
SELECT event_id AS heap_pageview_id, user_id AS heap_user_id, session_id AS heap_session_id, time AS heap_pageview_time,
       domain AS heap_pageview_domain, path AS heap_pageview_path, query AS heap_pageview_query,
       hash AS heap_pageview_hash, title AS heap_pageview_title, previous_page AS heap_pageview_previous_page,
       user_id || '-' || i AS heap_pageview_session_id, i AS heap_pageview_session_index,
       row_number() OVER s AS heap_pageview_session_sequence_number,
       first(time) OVER a AS heap_pageview_session_start_time, last(time) OVER a AS heap_pageview_session_end_time,
       first(event_id) OVER a AS heap_pageview_session_first_pageview_id,
       last(event_id) OVER a AS heap_pageview_session_last_pageview_id,
       epoch_us(first(time) OVER a) // 1000000 AS heap_pageview_session_start_epoch,
       epoch_us(last(time) OVER a) // 1000000 AS heap_pageview_session_end_epoch
FROM numbered
WINDOW s AS (PARTITION BY user_id, i ORDER BY time, event_id),
       a AS (s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
"""
_FUNNEL = f"""
WITH done AS (SELECT user_id, event_table_name AS step, time FROM read_parquet($file) WHERE step IN ({_STEPS})),
second AS (
  SELECT a.user_id, a.time AS t1, CASE WHEN b.time <= a.time + INTERVAL {WINDOW_DAYS} DAY THEN b.time END AS t2
  FROM done a ASOF LEFT JOIN (FROM done WHERE step = '{STEPS[1]}') b ON a.user_id = b.user_id AND a.time < b.time
  WHERE a.step = '{STEPS[0]}'
), third AS (
  SELECT a.user_id, t2, CASE WHEN c.time <= t1 + INTERVAL {WINDOW_DAYS} DAY THEN c.time END AS t3
  FROM second a ASOF LEFT JOIN (FROM done WHERE step = '{STEPS[2]}') c ON a.user_id = c.user_id AND a.t2 < c.time
), levels AS (
  SELECT user_id, max(1 + (t2 IS NOT NULL)::INT + (t3 IS NOT NULL)::INT) AS level FROM third GROUP BY user_id
)
SELECT count(*), count(*) FILTER (level >= 2), count(*) FILTER (level >= 3) FROM levels
"""
_WINDOW_FUNNEL = """
SELECT countIf(level >= 1), countIf(level >= 2), countIf(level >= 3) FROM (
  SELECT user_id, windowFunnel({micros}, 'strict_increase')(
    toUInt64(toUnixTimestamp64Micro(time)), {conditions}) AS level
  FROM file('{file}', Parquet) WHERE event_table_name IN ({steps}) GROUP BY user_id)
"""


def sessions(file: str, out: str) -> dict[str, Any]:
    """Write the columns of heap_pageviews; the order of rows is left out."""
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"COPY ({_SESSIONS}) TO '{out}' (FORMAT parquet, COMPRESSION zstd)", {"file": file})
    return {}


def funnel_duckdb(file: str) -> dict[str, Any]:
    """Return how many users reached each step; the times of steps are left out."""
    with duckdb.connect() as connection:
        (users,) = connection.execute(_FUNNEL, {"file": file}).fetchall()
    return {"users": list(users)}


def funnel_chdb(file: str) -> dict[str, Any]:
    """Return the same by windowFunnel."""
    query = _WINDOW_FUNNEL.format(
        micros=WINDOW_DAYS * 86_400_000_000,
        conditions=", ".join(f"event_table_name = '{step}'" for step in STEPS),
        steps=_STEPS,
        file=file,
    )
    return {"users": [int(number) for number in str(chdb.query(query, "CSV")).split(",")]}
