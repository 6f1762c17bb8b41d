"""Tasks of the questions to a published file: copying it into plain tables, and asking one question several times.

Both files have the same schemas and names, so a question is the same SQL for both. Not here: turns (questions.py).
"""

import time
from hashlib import sha256
from typing import Any

import duckdb

_TABLES = (
    "main_production_migrated.all_events",
    "main_production_migrated.identity_map",
    "heap_analytics.heap_events",
    "heap_analytics.heap_sessions",
)
QUESTIONS = {
    "users per day": """
        SELECT time::DATE AS day, count(DISTINCT user_id) AS users
        FROM main_production_migrated.all_events GROUP BY day
    """,
    "a funnel": """
        WITH viewed AS (
          SELECT heap_user_id, min(heap_event_time) AS time FROM heap_analytics.heap_events
          WHERE heap_event_name = 'product_view' GROUP BY heap_user_id
        ), added AS (
          SELECT heap_user_id, min(heap_event_time) AS time
          FROM heap_analytics.heap_events JOIN viewed v USING (heap_user_id)
          WHERE heap_event_name = 'add_to_cart' AND heap_event_time > v.time GROUP BY heap_user_id
        ), ordered AS (
          SELECT heap_user_id FROM heap_analytics.heap_events JOIN added a USING (heap_user_id)
          WHERE heap_event_name = 'order_completed' AND heap_event_time > a.time GROUP BY heap_user_id
        )
        SELECT (SELECT count(*) FROM viewed), (SELECT count(*) FROM added), (SELECT count(*) FROM ordered)
    """,
    "sessions by channel": """
        SELECT heap_session_defined_channel_attribution AS channel, count(*) AS sessions,
               count(DISTINCT heap_user_id) AS users, avg(heap_session_is_conversion::INT) AS conversion
        FROM heap_analytics.heap_sessions GROUP BY channel
    """,
    "timeline of a person": """
        SELECT * FROM main_production_migrated.all_events WHERE user_id = $person ORDER BY time, event_id
    """,
}
_BUSY_PERSON = """
    SELECT heap_user_id FROM heap_analytics.heap_sessions
    WHERE heap_user_id IN (SELECT resolved_user_id FROM main_production_migrated.identity_map)
    GROUP BY heap_user_id ORDER BY count(*) DESC, heap_user_id LIMIT 1
"""


def copy_tables(published: str, plain: str) -> dict[str, Any]:
    """Write the rows of the published views into tables of another file; tells who the busiest merged person is."""
    with duckdb.connect(plain) as connection:
        connection.execute(f"ATTACH '{published}' AS published (READ_ONLY)")
        for table in _TABLES:
            schema = table.partition(".")[0]
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {table} AS FROM published.{table}")
        ((person,),) = connection.execute(_BUSY_PERSON).fetchall()
    return {"person": person}


def ask(database: str, question: str, person: int, times: int) -> dict[str, Any]:
    """Ask once to warm up, then so often; tells how long each took, and how many rows of which content came."""
    sql = QUESTIONS[question]
    given = {"person": person} if "$person" in sql else {}
    seconds = []
    with duckdb.connect(database, read_only=True) as connection:
        rows = connection.execute(sql, given).fetchall()
        for _ in range(times):
            started = time.perf_counter()
            connection.execute(sql, given).fetchall()
            seconds.append(time.perf_counter() - started)
    content = sha256("\n".join(sorted(map(str, rows))).encode()).hexdigest()
    return {"seconds": seconds, "rows": len(rows), "content": content}
