from datetime import datetime, timedelta

from heap_assets_tests.oracles.identity import identity_map

MONDAY = datetime(2024, 3, 11)  # noqa: DTZ001 (the oracle speaks UTC without zone)
TUESDAY = MONDAY + timedelta(days=1)


def test_a_chain_is_followed_to_its_end():
    assert identity_map([(1, 2, MONDAY), (2, 3, None), (3, 4, TUESDAY)]) == {1: 4, 2: 4, 3: 4}


def test_a_migration_to_oneself_is_left_out_before_the_newest_is_chosen():
    assert identity_map([(1, 1, TUESDAY), (1, 2, MONDAY)]) == {1: 2}


def test_of_two_targets_the_newest_wins_then_the_greater():
    assert identity_map([(1, 2, TUESDAY), (1, 9, MONDAY)]) == {1: 2}
    assert identity_map([(1, 2, MONDAY), (1, 9, MONDAY)]) == {1: 9}
    assert identity_map([(1, 2, MONDAY), (1, 9, None)]) == {1: 2}


def test_a_cycle_loses_its_newest_edge():
    assert identity_map([(1, 2, MONDAY), (2, 3, TUESDAY), (3, 1, MONDAY)]) == {1: 2, 3: 2}


def test_a_cycle_of_one_age_loses_the_edge_of_the_greatest_user():
    assert identity_map([(1, 2, None), (2, 1, None)]) == {1: 2}


def test_a_chain_into_a_cycle_ends_where_the_cycle_was_cut():
    assert identity_map([(7, 1, TUESDAY), (1, 2, MONDAY), (2, 1, TUESDAY)]) == {7: 2, 1: 2}


def test_the_order_of_rows_changes_nothing():
    rows = [(1, 2, MONDAY), (1, 3, None), (2, 1, MONDAY), (4, 2, TUESDAY), (4, 4, None)]

    assert identity_map(rows) == identity_map(rows[::-1]) == {1: 2, 4: 2}
