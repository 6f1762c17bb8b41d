"""Segments: users for whom all conditions hold, and the comparison of columns with wanted texts.

Here: users and the rows of an event in, user ids out.
"""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.segments import segment
from heap_assets.transforms.analytics.text_columns import equal_texts
from heap_assets_tests.transforms.user_local import assert_user_local

USERS = {"user_id": pl.Int64, "plan": pl.String, "seats": pl.Float64, "vip": pl.Boolean}
PEOPLE = pl.DataFrame(
    [(1, "gold", 5.0, True), (2, "Gold", 5.5, False), (3, None, None, None), (4, "gold", None, True)],
    schema=USERS,
    orient="row",
)


def did(*users: int) -> pl.DataFrame:
    return pl.DataFrame({"user_id": users}, schema={"user_id": pl.Int64})


def users_of(people: pl.DataFrame = PEOPLE, **conditions) -> list[int]:
    found = segment(people, **conditions)
    assert found.schema == {"user_id": pl.Int64}
    return sorted(found["user_id"])


def test_columns_are_compared_as_text_and_case_counts():
    assert users_of(where={"plan": "gold"}) == [1, 4]
    assert users_of(where={"seats": "5.0"}) == [1]
    assert users_of(where={"vip": "true", "plan": "gold"}) == [1, 4]


def test_null_and_a_column_that_users_lack_equal_nothing():
    assert users_of(where={"plan": "null"}) == []
    assert users_of(where={"tier": "gold"}) == []


def test_a_column_may_have_any_name():
    people = pl.DataFrame({"user_id": [1, 2], "^a.*$": ["x", "y"], "abc": ["y", "x"], "*": ["1", "2"]})
    assert users_of(people, where={"^a.*$": "x"}) == [1]
    assert people.filter(equal_texts({"*": "2"}, people.schema))["user_id"].to_list() == [2]


def test_who_did_it_once_or_often_did_it():
    assert users_of(did=did(1, 1, 3)) == [1, 3]
    assert users_of(did_not=did(1, 1, 3)) == [2, 4]
    assert users_of(did=did(1, 3), did_not=did(3)) == [1]


def test_an_event_that_nobody_did():
    assert users_of(did=did()) == []
    assert users_of(did_not=did()) == [1, 2, 3, 4]


def test_a_segment_is_made_of_users_alone():
    assert users_of(did=did(99)) == []
    assert users_of(PEOPLE.clear(), where={"plan": "gold"}) == []


TYPED = pl.DataFrame(
    {
        "user_id": range(6),
        "text": ["1.10", "1.1", "007", "true", "True", None],
        "long": [7, 0, -5, 9_007_199_254_740_993, 16, None],
        "double": [5.0, 0.1, 1e16, float("nan"), float("inf"), None],
        "flag": [True, False, True, False, True, None],
    }
)


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        ("text", "1.10", [0]),
        ("text", "1.1", [1]),
        ("text", "7", []),
        ("text", "007", [2]),
        ("text", "true", [3]),
        ("text", "True", [4]),
        ("long", "007", [0]),
        ("long", "7.0", [0]),
        ("long", "7.5", []),
        ("long", "-5e0", [2]),
        ("long", "9007199254740993", [3]),
        ("long", "9007199254740992", []),
        ("long", "0x10", []),
        ("long", "9" * 5000, []),
        ("long", "1e999999999", []),
        ("long", "1e-99999999999999999999", []),
        ("long", "", []),
        ("double", "5", [0]),
        ("double", "5.00", [0]),
        ("double", ".1", [1]),
        ("double", "1e16", [2]),
        ("double", "1e999", []),
        ("double", "nan", [3]),
        ("double", "five", []),
        ("flag", "true", [0, 2, 4]),
        ("flag", "FALSE", [1, 3]),
        ("flag", "yes", []),
        ("flag", "1", []),
        ("lacking", "", []),
    ],
)
def test_the_column_decides_what_is_compared(column, written, expected):
    assert segment(TYPED, where={column: written})["user_id"].to_list() == expected


_doers = st.none() | st.lists(st.integers(1, 6), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    plans=st.dictionaries(st.integers(1, 5), st.sampled_from([None, "gold", "free"])),
    wanted=st.sampled_from([None, "gold", "free"]),
    doers=_doers,
    others=_doers,
    data=st.data(),
)
def test_all_conditions_hold_for_a_segments_users_and_only_for_them(plans, wanted, doers, others, data):
    expected = sorted(
        user
        for user, plan in plans.items()
        if (wanted is None or plan == wanted)
        and (doers is None or user in doers)
        and (others is None or user not in others)
    )
    people = pl.DataFrame(list(plans.items()), schema={"user_id": pl.Int64, "plan": pl.String}, orient="row")
    frames = {"users": people}
    frames |= {name: did(*ids) for name, ids in (("did", doers), ("did_not", others)) if ids is not None}
    where = None if wanted is None else {"plan": wanted}

    def table(**given: pl.DataFrame) -> pl.DataFrame:
        return segment(**given, where=where)

    assert sorted(table(**frames)["user_id"]) == expected
    assert_user_local(table, frames, data, user=dict.fromkeys(frames, "user_id"))
