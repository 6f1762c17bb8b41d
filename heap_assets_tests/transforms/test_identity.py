"""Identity: chains are followed to their end, cycles cut at their newest edge, whatever the order of the rows.

Here: migrations in, map out. Not here: which delivery of migrations counts (sources/heap/test_truth.py).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from heap_assets.transforms.identity import identity_map
from heap_assets_tests.oracles import identity as oracle

MONDAY = datetime(2024, 3, 11)  # noqa: DTZ001 (UTC without zone, as stored)
TUESDAY = MONDAY + timedelta(days=1)
SCHEMA = {"from_user_id": pl.Int64, "to_user_id": pl.Int64, "time": pl.Datetime("us")}
LONG_CHAIN, LONG_CYCLE = 200_000, 50_000


def resolved(*migrations: tuple[int, int, datetime | None]) -> dict[int, int]:
    frame = identity_map(pl.DataFrame(list(migrations), schema=SCHEMA, orient="row"))
    assert frame.schema == {"user_id": pl.Int64, "resolved_user_id": pl.Int64}
    assert frame["user_id"].to_list() == sorted(set(frame["user_id"]))
    return dict(frame.iter_rows())


def test_nobody_was_merged():
    assert resolved() == {}


def test_a_chain_is_followed_to_its_end_whatever_its_times():
    assert resolved((1, 2, TUESDAY), (2, 3, None), (3, 4, MONDAY)) == {1: 4, 2: 4, 3: 4}


def test_many_may_become_one():
    assert resolved((1, 9, None), (2, 9, None), (3, 2, None)) == {1: 9, 2: 9, 3: 9}


def test_a_row_whose_ids_are_equal_is_left_out_before_the_newest_is_chosen():
    assert resolved((5, 5, MONDAY)) == {}
    assert resolved((1, 1, TUESDAY), (1, 2, MONDAY)) == {1: 2}


def test_of_two_rows_of_a_user_the_newest_counts_then_that_to_the_greater_user():
    assert resolved((1, 2, TUESDAY), (1, 9, MONDAY)) == {1: 2}
    assert resolved((1, 2, MONDAY), (1, 9, None)) == {1: 2}
    assert resolved((1, 2, MONDAY), (1, 9, MONDAY)) == {1: 9}
    assert resolved((1, 9, None), (1, 2, None)) == {1: 9}


def test_a_cycle_loses_its_newest_edge_and_who_it_came_from_becomes_the_end():
    assert resolved((1, 2, MONDAY), (2, 3, TUESDAY), (3, 1, None)) == {1: 2, 3: 2}


def test_a_cycle_of_equal_times_loses_the_edge_of_its_greatest_user():
    assert resolved((1, 2, MONDAY), (2, 1, MONDAY)) == {1: 2}
    assert resolved((7, 8, None), (8, 9, None), (9, 7, None)) == {7: 9, 8: 9}


def test_a_chain_that_leads_into_a_cycle_ends_where_the_cycle_was_cut():
    assert resolved((7, 1, TUESDAY), (8, 7, TUESDAY), (1, 2, MONDAY), (2, 1, TUESDAY)) == {7: 2, 8: 2, 1: 2}


def test_every_cycle_is_cut_by_itself():
    rows = [(1, 2, MONDAY), (2, 1, None), (3, 4, None), (4, 3, TUESDAY), (5, 6, None)]
    assert resolved(*rows) == {2: 1, 3: 4, 5: 6}


def test_the_greatest_ids_resolve_like_any_others():
    assert resolved((2**63 - 1, -(2**63), None), (-(2**63), 0, None)) == {2**63 - 1: 0, -(2**63): 0}


def test_ids_and_times_of_narrower_types_are_widened():
    narrow = pl.DataFrame({"from_user_id": [1], "to_user_id": [2], "time": [None]}).cast({"from_user_id": pl.Int32})
    assert identity_map(narrow).rows() == [(1, 2)]


_times = st.sampled_from([None, MONDAY, TUESDAY, TUESDAY + timedelta(microseconds=1)])
_users = st.integers(1, 8)
_migrations = st.lists(st.tuples(_users, _users, _times), max_size=14)


@settings(max_examples=80, deadline=None)
@given(rows=_migrations, data=st.data())
def test_any_set_of_migrations_in_any_order_resolves_as_the_plain_reading_does(rows, data):
    expected = oracle.identity_map(rows)
    assert resolved(*rows) == expected
    assert resolved(*data.draw(st.permutations(rows)), *rows[:2]) == expected
    assert not any(user == end or end in expected for user, end in expected.items())


@st.composite
def _rings_with_tails(draw: st.DrawFn) -> list[tuple[int, int, datetime | None]]:
    """Draw long cycles of shuffled users, with chains that lead into them."""
    users = draw(st.permutations(range(1, draw(st.integers(2, 40)))))
    cut = draw(st.integers(0, len(users)))
    targets = {user: users[(place + 1) % cut] for place, user in enumerate(users[:cut])}
    targets |= {user: draw(st.sampled_from(users[: cut + 1])) for user in users[cut:]}
    return [(user, to, draw(_times)) for user, to in targets.items()]


@settings(max_examples=40, deadline=None)
@given(_rings_with_tails())
@example([(user, user % 33 + 1, None) for user in range(1, 34)])
def test_long_cycles_with_tails_resolve_as_the_plain_reading_does(rows):
    assert resolved(*rows) == oracle.identity_map(rows)


def test_a_chain_of_many_links_is_followed_in_few_rounds():
    users = pl.int_range(LONG_CHAIN, eager=True)
    shuffled = users.shuffle(seed=3)
    frame = pl.DataFrame({"from_user_id": shuffled[:-1], "to_user_id": shuffled[1:], "time": None})
    ends = identity_map(frame.sample(fraction=1, shuffle=True, seed=5))
    assert len(ends) == LONG_CHAIN - 1
    assert ends["resolved_user_id"].unique().to_list() == [shuffled[-1]]


def test_a_cycle_of_many_links_is_cut_in_few_rounds():
    users = pl.int_range(LONG_CYCLE, eager=True).shuffle(seed=3)
    frame = pl.DataFrame({"from_user_id": users, "to_user_id": users.shift(1, fill_value=users[-1]), "time": None})
    ends = identity_map(frame)
    assert len(ends) == LONG_CYCLE - 1
    assert ends["resolved_user_id"].unique().to_list() == [LONG_CYCLE - 1]
