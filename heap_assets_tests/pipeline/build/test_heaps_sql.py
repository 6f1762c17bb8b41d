"""The SQL that Heap gives its S3 customers says the same as our resolved tables, where it says anything right.

Source: Heap's page on identity resolution, without its trailing comma. It follows one hop only, so the exports here
have no chains; with chains and cycles the oracles decide (test_any_cut.py).
"""

from collections import Counter

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from heap_assets_tests.exports.description import Export
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import write_export
from heap_assets_tests.published import run, scratch, some, sync_of

USERS = """
    SELECT user_id, MIN(joindate) AS joindate, MAX(last_modified) AS last_modified, MAX("identity") AS "identity",
           MAX(handle) AS handle, MAX(email) AS email
    FROM (
        SELECT COALESCE(to_user_id, user_id) AS user_id, joindate, last_modified, "identity", handle, email
        FROM main_production.users u LEFT JOIN main_production.user_migrations m ON u.user_id = m.from_user_id
    ) x
    GROUP BY user_id
"""
EVENTS = """
    SELECT COALESCE(to_user_id, user_id) AS user_id, event_id, session_id, e.time, plan
    FROM main_production.{table} e LEFT JOIN main_production.user_migrations m ON e.user_id = m.from_user_id
"""
ANONYMOUS, IDENTIFIED = range(1, 8), range(100, 104)
texts = st.sampled_from([None, "", "a@x", "b@x", "Zoë", "é"])
moments = st.sampled_from([None, 1_717_200_000_000, 1_717_200_000_001, 1_720_000_000_000])


@st.composite
def flat_exports(draw):
    """Draw an export in which anonymous users became identified ones, and those stayed who they are."""
    people = [*ANONYMOUS, *IDENTIFIED]
    users = [(user, draw(moments), draw(moments), draw(texts), draw(texts), draw(texts)) for user in people]
    merged = draw(st.lists(st.sampled_from(ANONYMOUS), unique=True))
    migrations = [(user, draw(st.sampled_from(IDENTIFIED)), draw(moments)) for user in merged]
    events = [
        (number, draw(st.sampled_from(people)), draw(st.sampled_from([None, 1, 2])), draw(moments), draw(texts))
        for number in range(draw(st.integers(0, 12)))
    ]
    tables = {
        "users": data_file(
            "user_id:long joindate:long last_modified:long identity handle email",
            *draw(st.permutations(users)),
        ),
        "user_migrations": full(
            "user_migrations", data_file("from_user_id:long to_user_id:long time:long", *migrations)
        ),
        "pageviews": data_file("event_id:long user_id:long session_id:long time:long plan", *events),
        "signup": data_file("event_id:long user_id:long session_id:long time:long plan", *events[::2]),
    }
    return Export((dump(1, tables),), (), ())


@some(7)
@given(flat_exports())
def test_heaps_documented_views_give_the_rows_of_our_resolved_tables(export):
    with scratch() as folder:
        write_export(folder / "export", export)
        sync = sync_of(folder / "export", folder / "home")
        run(sync)
        with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:

            def rows(query):
                return Counter(connection.execute(query).fetchall())

            ours = (
                'SELECT user_id, joindate, last_modified, "identity", handle, email FROM main_production_migrated.users'
            )
            assert rows(ours) == rows(USERS)
            for table in ("pageviews", "signup"):
                ours = f"SELECT user_id, event_id, session_id, time, plan FROM main_production_migrated.{table}"
                assert rows(ours) == rows(EVENTS.format(table=table))


def test_their_sql_follows_one_hop_where_ours_goes_to_the_end(tmp_path):
    tables = {
        "users": data_file(
            "user_id:long joindate:long last_modified:long identity handle email", (1, 1, 1, "a", "b", "c")
        ),
        "user_migrations": full("user_migrations", data_file("from_user_id:long to_user_id:long", (1, 2), (2, 3))),
    }
    write_export(tmp_path / "export", Export((dump(1, tables),), (), ()))
    sync = sync_of(tmp_path / "export", tmp_path / "home")
    run(sync)

    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        assert connection.execute(USERS).fetchone()[0] == 2
        assert connection.execute("SELECT user_id FROM main_production_migrated.users").fetchone() == (3,)
