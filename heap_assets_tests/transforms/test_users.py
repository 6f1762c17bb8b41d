"""Merged users: one row per resolved user, each column by its own rule.

Here: users and identity map in, users out. Not here: computed properties, who was merged (test_identity.py).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.users import migrated_users
from heap_assets_tests.oracles import migrated as oracle
from heap_assets_tests.oracles.truth import Row, Truth
from heap_assets_tests.oracles.typing_rules import EPOCH

MONDAY = datetime(2024, 3, 11)  # noqa: DTZ001 (UTC without zone, as stored)
TUESDAY = MONDAY + timedelta(days=1)
TYPES = {
    "user_id": pl.Int64,
    "identity": pl.String,
    "email": pl.String,
    "handle": pl.Int64,
    "joindate": pl.Datetime("us"),
    "last_modified": pl.Datetime("us"),
    "plan": pl.String,
    "age": pl.Int64,
    "vip": pl.Boolean,
    "*.^": pl.Float64,
}


def merged(users: list[dict], became: dict[int, int]) -> list[dict]:
    columns = list(dict.fromkeys(["user_id", *(column for user in users for column in user)]))
    frame = pl.DataFrame(users, schema={column: TYPES[column] for column in columns})
    resolved = migrated_users(frame, identity_map(became))
    assert resolved.schema == frame.schema
    return sorted(resolved.to_dicts(), key=lambda user: user["user_id"])


def identity_map(became: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame(list(became.items()), schema={"user_id": pl.Int64, "resolved_user_id": pl.Int64}, orient="row")


def test_a_user_who_was_never_merged_stays_as_it_is():
    user = {"user_id": 1, "plan": "gold", "email": None}
    assert merged([user], {}) == [user]
    assert merged([user], {7: 8}) == [user]


def test_a_merged_user_without_a_row_of_the_resolved_one_bears_the_resolved_id():
    assert merged([{"user_id": 1, "plan": "gold"}], {1: 9}) == [{"user_id": 9, "plan": "gold"}]


def test_a_resolved_user_without_any_row_is_nobody():
    assert merged([{"user_id": 1}], {7: 9}) == [{"user_id": 1}]


def test_there_may_be_no_users():
    assert merged([], {1: 2}) == []


def test_the_earliest_joindate_and_the_latest_modification_count():
    users = [
        {"user_id": 1, "joindate": MONDAY, "last_modified": MONDAY},
        {"user_id": 2, "joindate": TUESDAY, "last_modified": TUESDAY},
        {"user_id": 3, "joindate": None, "last_modified": None},
    ]
    assert merged(users, {1: 3, 2: 3}) == [{"user_id": 3, "joindate": MONDAY, "last_modified": TUESDAY}]


def test_identity_handle_and_email_are_the_greatest_text_by_code_point():
    users = [
        {"user_id": 1, "identity": "Z", "email": "ab", "handle": 9},
        {"user_id": 2, "identity": "a", "email": "\uffff", "handle": 10},
        {"user_id": 3, "identity": "B", "email": "🎈", "handle": None},
    ]
    assert merged(users, {1: 3, 2: 3}) == [{"user_id": 3, "identity": "a", "email": "🎈", "handle": 10}]


def test_any_other_column_is_that_of_the_row_modified_last_that_has_one():
    users = [
        {"user_id": 1, "last_modified": TUESDAY, "plan": None, "age": 30},
        {"user_id": 2, "last_modified": MONDAY, "plan": "free", "age": 20},
        {"user_id": 3, "last_modified": None, "plan": "gold", "age": 10},
    ]
    assert merged(users, {1: 3, 2: 3}) == [{"user_id": 3, "last_modified": TUESDAY, "plan": "free", "age": 30}]


def test_of_equal_modification_the_resolved_users_own_row_counts_then_the_greatest_id():
    users = [{"user_id": place, "plan": f"of {place}", "age": age} for place, age in ((1, 11), (5, 15), (9, 19))]
    users[1]["age"] = None
    assert merged(users, {1: 5, 9: 5}) == [{"user_id": 5, "plan": "of 5", "age": 19}]


def test_a_column_may_have_any_name():
    users = [{"user_id": 1, "*.^": 0.5}, {"user_id": 2, "*.^": None}]
    assert merged(users, {1: 2}) == [{"user_id": 2, "*.^": 0.5}]


_cells = {
    "identity": st.sampled_from([None, "", "a", "B", "🎈", "\uffff"]),
    "email": st.sampled_from([None, "a@x", "b@x"]),
    "handle": st.sampled_from([None, 3, 20]),
    "joindate": st.sampled_from([None, MONDAY, TUESDAY]),
    "last_modified": st.sampled_from([None, MONDAY, TUESDAY]),
    "plan": st.sampled_from([None, "free", "gold"]),
    "age": st.sampled_from([None, 1, 2]),
    "vip": st.sampled_from([None, True, False]),
}


@st.composite
def _users(draw: st.DrawFn) -> list[dict]:
    columns = draw(st.sets(st.sampled_from(sorted(_cells))))
    ids = draw(st.lists(st.integers(1, 8), unique=True, max_size=8))
    return [{"user_id": user, **{column: draw(_cells[column]) for column in sorted(columns)}} for user in ids]


@settings(max_examples=100, deadline=None)
@given(users=_users(), became=st.dictionaries(st.integers(1, 5), st.integers(6, 9)))
def test_any_users_are_merged_as_the_plain_reading_does(users, became):
    columns = dict.fromkeys(users[0] if users else ["user_id"], "")
    rows = tuple(Row((1, False, EPOCH, 0, place), user) for place, user in enumerate(users))
    expected = oracle.migrated_users(Truth("users", columns, frozenset(), rows, rows, ()), became)
    assert merged(users, became) == sorted(expected.rows, key=lambda user: user["user_id"])
    assert merged(users[::-1], became) == merged(users, became)
