"""Names: Heap's rule from event to table, and suffixes where DuckDB could not tell two names apart.

Here: names. Not here: which names are ours in which table (schema/test_table_schema.py).
"""

from functools import cache

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import heap_assets
from heap_assets.schema.names import folded, published_names, table_name
from heap_assets_tests.oracles import naming as oracle


@pytest.mark.parametrize(
    ("event", "table"),
    [
        ("Sign Up - Click Link (Any)", "sign_up_click_link_any"),
        ("Signup", "signup"),
        ("  View   Page  ", "view_page"),
        ("Checkout: Step 2", "checkout_step_2"),
        ("order_completed", "order_completed"),
        ("__Odd__Name__", "odd_name"),
        ("50% off!", "50_off"),
        ("Größe ändern", "gr_e_ndern"),
        ("!!!", ""),
        ("", ""),
    ],
)
def test_an_events_table_is_its_name_in_snake_case(event, table):
    assert table_name(event) == table


def test_the_rule_is_what_a_notebook_imports():
    assert heap_assets.table_name is table_name
    assert heap_assets.__all__ == ["table_name"]


@given(st.text(max_size=20))
def test_a_table_name_is_its_own_table_name(event):
    name = table_name(event)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert table_name(name) == name == name.strip("_")


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4))
@example("É")
@example("İ")
@example("ß")
def test_names_are_folded_as_duckdb_compares_them(name):
    other = name.swapcase()
    columns = ", ".join('1 AS "' + column.replace('"', '""') + '"' for column in (name, other))
    described = _connection().cursor().execute(f"SELECT * FROM (SELECT {columns}) LIMIT 0").description
    are_one_name = [column for column, *_ in described] != [name, other]
    assert (folded(name) == folded(other)) == are_one_name or name == other


def test_the_first_by_code_point_keeps_its_name_and_the_next_are_numbered():
    assert published_names(["ip", "Ip", "IP"]) == {"IP": "IP", "Ip": "Ip_2", "ip": "ip_3"}


def test_names_that_differ_in_more_than_case_stay():
    assert published_names(["a", "b", "É", "é"]) == {"a": "a", "b": "b", "É": "É", "é": "é"}


def test_a_suffix_that_is_taken_is_skipped_also_in_another_case():
    assert published_names(["x", "X", "X_2"]) == {"X": "X", "X_2": "X_2", "x": "x_3"}
    assert published_names(["x", "X"], reserved=["x_2"]) == {"X": "X", "x": "x_3"}


def test_a_delivered_name_that_meets_one_of_ours_never_keeps_its_name():
    assert published_names(["ALL_events", "all_events"], reserved=["all_events"]) == {
        "ALL_events": "ALL_events_2",
        "all_events": "all_events_3",
    }


def test_no_names_are_no_names():
    assert published_names([]) == {}


_names = st.sampled_from(["a", "A", "a_2", "A_2", "a_3", "b", "B", "a_2_2", "É", "é", "users", "Users", "USERS_2"])


@given(st.lists(_names, max_size=8), st.lists(_names, max_size=3))
def test_published_names_are_those_of_the_plain_rule_and_never_meet(names, reserved):
    published = published_names(names, reserved=reserved)
    assert published == oracle.published_names(names, ours=reserved)
    taken = [folded(name) for name in [*published.values(), *set(reserved)]]
    assert len({folded(name) for name in published.values()}) == len(published)
    assert not {folded(name) for name in published.values()} & {folded(name) for name in reserved}, taken
