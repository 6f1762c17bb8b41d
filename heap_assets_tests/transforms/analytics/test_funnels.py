"""Funnels: each user counts once, with the attempt that got furthest; steps are strictly later than one another.

Here: occurrences in, funnel_users and funnel_steps out. Not here: which events serve a step (test_segments.py and
pipeline/).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.funnels import funnel_steps, funnel_users
from heap_assets_tests.oracles import analytics_funnels as oracle
from heap_assets_tests.transforms.user_local import assert_user_local, rows_of

NINE = datetime(2024, 6, 1, 9)  # noqa: DTZ001 (UTC without zone, as stored)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
NAMES = ["view", "cart", "order"]
SCHEMA = {
    "heap_user_id": pl.Int64,
    "heap_session_id": pl.Int64,
    "heap_event_id": pl.Int64,
    "time": pl.Datetime("us"),
    "step": pl.Int64,
}
USERS = {
    "funnel": pl.String,
    "heap_user_id": pl.Int64,
    "group_value": pl.String,
    "steps_completed": pl.Int64,
    "step_number": pl.Int64,
    "step_name": pl.String,
    "step_time": pl.Datetime("us"),
}
STEPS = {
    "funnel": pl.String,
    "group_value": pl.String,
    "step_number": pl.Int64,
    "step_name": pl.String,
    "users": pl.Int64,
    "conversion_from_start": pl.Float64,
    "conversion_from_previous": pl.Float64,
    "median_seconds_from_previous": pl.Float64,
    "median_seconds_from_start": pl.Float64,
}


def did(step: int, time: datetime | None, session: int | None = 5, user: int = 7, event: int = 1) -> dict:
    return {"heap_user_id": user, "heap_session_id": session, "heap_event_id": event, "time": time, "step": step}


def reached(*rows: dict, names: list[str] = NAMES, **scope) -> pl.DataFrame:
    groups = {"group_value": pl.String} if any("group_value" in row for row in rows) else {}
    found = funnel_users(pl.DataFrame(list(rows), schema={**SCHEMA, **groups}), funnel="f", step_names=names, **scope)
    assert list(found.schema.items()) == list(USERS.items())
    return found


def times(*rows: dict, **scope) -> list[datetime]:
    return reached(*rows, **scope)["step_time"].to_list()


def test_a_user_who_never_did_step_one_is_not_in_the_funnel():
    assert times(did(2, NINE), did(3, NINE + HOUR)) == []


def test_steps_follow_in_order_with_anything_in_between():
    rows = [did(1, NINE), did(3, NINE + HOUR), did(2, NINE + 2 * HOUR), did(3, NINE + 3 * HOUR)]
    found = reached(*rows)
    assert found["step_time"].to_list() == [NINE, NINE + 2 * HOUR, NINE + 3 * HOUR]
    assert found["step_name"].to_list() == NAMES
    assert set(found["steps_completed"]) == {3}


def test_a_step_at_the_same_moment_is_not_later():
    assert times(did(1, NINE), did(2, NINE)) == [NINE]
    assert times(did(1, NINE), did(2, NINE), did(2, NINE + TICK)) == [NINE, NINE + TICK]


def test_one_event_cannot_be_two_steps_but_two_such_events_can():
    both = [did(1, NINE), did(2, NINE)]
    again = [did(1, NINE + HOUR, event=2), did(2, NINE + HOUR, event=2)]
    assert times(*both) == [NINE]
    assert times(*both, *again) == [NINE, NINE + HOUR]


def test_the_window_is_measured_from_the_start_and_its_end_is_in():
    rows = [did(1, NINE), did(2, NINE + HOUR), did(3, NINE + 2 * HOUR)]
    assert len(times(*rows, window=2 * HOUR)) == 3
    assert len(times(*rows, window=2 * HOUR - TICK)) == 2
    assert len(times(*rows, window=HOUR - TICK)) == 1
    assert len(times(did(1, NINE), did(2, NINE + 9_999 * 24 * HOUR))) == 2


def test_a_later_attempt_counts_if_it_gets_further():
    rows = [did(1, NINE), did(1, NINE + 3 * HOUR), did(2, NINE + 4 * HOUR)]
    assert times(*rows, window=2 * HOUR) == [NINE + 3 * HOUR, NINE + 4 * HOUR]


def test_of_attempts_that_get_equally_far_the_earliest_counts():
    rows = [did(1, NINE + HOUR), did(1, NINE), did(2, NINE + 2 * HOUR)]
    assert times(*rows) == [NINE, NINE + 2 * HOUR]


def test_within_a_session_all_steps_are_in_one():
    rows = [did(1, NINE, 5), did(2, NINE + HOUR, 6), did(1, NINE + 2 * HOUR, 6), did(2, NINE + 3 * HOUR, 6)]
    assert times(*rows, within_session=True) == [NINE + 2 * HOUR, NINE + 3 * HOUR]
    assert times(*rows) == [NINE, NINE + HOUR]


def test_events_without_a_session_take_no_part_within_sessions():
    rows = [did(1, NINE, None), did(2, NINE + HOUR, None)]
    assert times(*rows, within_session=True) == []
    assert len(times(*rows)) == 2


def test_events_without_a_time_take_no_part():
    assert times(did(1, None), did(2, NINE)) == []
    assert times(did(1, NINE), did(2, None)) == [NINE]


def test_the_group_is_that_of_the_attempt_that_counts():
    rows = [
        {**did(1, NINE, 6), "group_value": "late session"},
        {**did(1, NINE, 5), "group_value": "early session"},
        {**did(1, NINE, None), "group_value": "no session"},
        {**did(2, NINE + HOUR), "group_value": None},
    ]
    assert set(reached(*rows)["group_value"]) == {"early session"}
    assert set(reached({**did(1, NINE), "group_value": None})["group_value"]) == {"(none)"}
    assert set(reached(did(1, NINE))["group_value"]) == {None}


def test_groups_of_any_type_are_text():
    rows = pl.DataFrame([did(1, NINE)], schema=SCHEMA).with_columns(group_value=pl.lit(5.0))
    assert funnel_users(rows, funnel="f", step_names=["view"])["group_value"].to_list() == ["5.0"]


def test_steps_tell_rates_and_the_median_of_an_even_number_is_the_mean_of_the_middle_two():
    seconds = timedelta(seconds=1)
    rows = [did(1, NINE, user=user) for user in (1, 2, 3)]
    rows += [did(2, NINE + seconds, user=1), did(2, NINE + 4 * seconds, user=2), did(3, NINE + 10 * seconds, user=2)]
    steps = funnel_steps(reached(*rows).lazy(), funnel="f", step_names=NAMES).collect()
    assert list(steps.schema.items()) == list(STEPS.items())
    assert steps.drop("funnel", "group_value").rows() == [
        (1, "view", 3, 1.0, 1.0, None, None),
        (2, "cart", 2, 2 / 3, 2 / 3, 2.5, 2.5),
        (3, "order", 1, 1 / 3, 1 / 2, 6.0, 10.0),
    ]


def test_seconds_have_fractions_down_to_a_microsecond():
    found = reached(did(1, NINE + TICK), did(2, NINE + HOUR)).lazy()
    steps = funnel_steps(found, funnel="f", step_names=NAMES).collect()
    assert steps["median_seconds_from_start"].to_list() == [None, 3599.999999, None]


def test_a_funnel_that_nobody_entered_has_its_rows_unless_it_is_grouped():
    nobody = reached().lazy()
    steps = funnel_steps(nobody, funnel="f", step_names=NAMES).collect()
    assert steps.drop("funnel", "step_name").rows() == [
        (None, 1, 0, 1.0, 1.0, None, None),
        (None, 2, 0, None, None, None, None),
        (None, 3, 0, None, None, None, None),
    ]
    assert funnel_steps(nobody, funnel="f", step_names=NAMES, grouped=True).collect().is_empty()


def test_steps_read_only_their_own_funnel():
    other = reached(did(1, NINE)).lazy()
    assert funnel_steps(other, funnel="g", step_names=["view"]).collect()["users"].to_list() == [0]


_hours = st.sampled_from([NINE, NINE, NINE + TICK, NINE + HOUR, NINE + HOUR + TICK, NINE + 2 * HOUR, None])
_done = st.lists(
    st.builds(
        did,
        st.integers(1, 4),
        _hours,
        st.sampled_from([None, 5, 6]),
        st.integers(1, 3),
    ),
    max_size=16,
).map(lambda rows: [{**row, "heap_event_id": place} for place, row in enumerate(rows)])
_scopes = st.fixed_dictionaries(
    {"window": st.sampled_from([None, TICK, HOUR, 2 * HOUR]), "within_session": st.booleans()}
)


@settings(max_examples=80, deadline=None)
@given(rows=_done, scope=_scopes, names=st.sampled_from([NAMES[:1], NAMES, [*NAMES, "view"]]), data=st.data())
def test_any_occurrences_lead_as_far_as_the_plain_reading_does(rows, scope, names, data):
    grouped = data.draw(st.booleans(), label="grouped")
    if grouped:
        rows = [{**row, "group_value": data.draw(st.sampled_from([None, "a", "b"]))} for row in rows]
    rows += [{**row, "step": 4} for row in rows if row["step"] == 1]
    schema = {**SCHEMA, "group_value": pl.String} if grouped else SCHEMA
    occurrences = pl.DataFrame(rows, schema=schema)

    def table(occurrences: pl.DataFrame) -> pl.DataFrame:
        return funnel_users(occurrences, funnel="f", step_names=names, **scope)

    found = table(occurrences)
    expected = oracle.funnel_users(rows, "f", names, **scope)
    assert rows_of(found) == sorted(expected, key=repr)
    assert_user_local(table, {"occurrences": occurrences}, data, user={"occurrences": "heap_user_id"})
    steps = funnel_steps(found.lazy(), funnel="f", step_names=names, grouped=grouped).collect()
    assert rows_of(steps) == sorted(oracle.funnel_steps(expected, "f", names, grouped=grouped), key=repr)
    for _, of_group in steps.group_by("group_value"):
        assert of_group.sort("step_number")["users"].is_sorted(descending=True)
