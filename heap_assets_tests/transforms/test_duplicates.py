"""Overlaps: of the rows of one key all but the newest lose, by dump, then time, then place.

Here: key frames. Not here: which files are looked at (pipeline/), who a merged user is (test_identity.py).
"""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.schema.heap_tables import EVENT, SESSIONS, USER_MIGRATIONS, USERS
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID
from heap_assets.transforms.duplicates import (
    ENTITY,
    LOSES,
    LOSES_WHEN_MERGED,
    NEWEST_BY,
    OWNER,
    keys,
    repeated_entities,
    updated_duplicates,
    with_duplicates,
)
from heap_assets.transforms.identity import remapped_users
from heap_assets_tests.oracles.typing_rules import EPOCH

MONDAY = datetime(2024, 3, 11)  # noqa: DTZ001 (UTC without zone, as stored)
TUESDAY = MONDAY + timedelta(days=1)
SCHEMA = {ROW_ID: pl.Int64, DUMP_ID: pl.Int64, ENTITY: pl.Int64, OWNER: pl.Int64, NEWEST_BY: pl.Datetime("us")}
Row = tuple[int, int, int, int | None, datetime | None]


def key_frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def merges(became: dict[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {"user_id": [*became], "resolved_user_id": [*became.values()]},
        schema={"user_id": pl.Int64, "resolved_user_id": pl.Int64},
    )


def losers(rows: list[Row], became: dict[int, int] | None = None) -> list[int]:
    """Return the row ids that lose: with users as recorded, or once they have become others."""
    found = with_duplicates(key_frame(rows), merges(became or {}))
    return sorted(found.filter(LOSES if became is None else LOSES_WHEN_MERGED)[ROW_ID])


def test_a_newer_dump_wins_even_with_an_older_time():
    assert losers([(0, 1, 7, 1, TUESDAY), (1, 2, 7, 1, MONDAY), (2, 3, 7, 1, None)]) == [0, 1]


def test_within_a_dump_the_greatest_time_wins_and_null_is_the_oldest():
    assert losers([(0, 1, 7, 1, TUESDAY), (1, 1, 7, 1, MONDAY), (2, 1, 7, 1, None)]) == [1, 2]


def test_of_equal_times_the_row_delivered_last_wins():
    assert losers([(5, 1, 7, 1, MONDAY), (4, 1, 7, 1, MONDAY), (3, 1, 7, 1, MONDAY)]) == [3, 4]
    assert losers([(5, 1, 7, 1, None), (4, 1, 7, 1, None)]) == [4]


def test_rows_of_other_keys_do_not_compete():
    assert losers([(0, 1, 7, 1, None), (1, 2, 7, 2, None), (2, 3, 8, 1, None)]) == []


def test_a_key_of_one_column_has_no_owner():
    assert losers([(0, 1, 7, None, None), (1, 2, 7, None, None)]) == [0]


def test_nothing_loses_among_no_rows():
    found = with_duplicates(key_frame([]), merges({1: 2}))
    assert found.schema == {**SCHEMA, LOSES: pl.Boolean, LOSES_WHEN_MERGED: pl.Boolean}
    assert found.is_empty()


_times = st.sampled_from([None, MONDAY, TUESDAY])
_key = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 2, None]), _times)
_rows = st.lists(_key, max_size=25).map(lambda found: [(place, *row) for place, row in enumerate(found)])


@settings(max_examples=100, deadline=None)
@given(rows=_rows, data=st.data())
def test_all_but_the_newest_row_of_each_key_lose_whatever_the_order_of_rows(rows, data):
    winners: dict[tuple, Row] = {}
    for row in rows:
        place, dump_id, entity, owner, time = row
        rank = (dump_id, time is not None, time or EPOCH, place)
        winners[entity, owner] = max(winners.get((entity, owner), (rank, row)), (rank, row))
    expected = sorted({row[0] for row in rows} - {row[0] for _, row in winners.values()})
    assert losers(rows) == expected
    assert losers(data.draw(st.permutations(rows))) == expected


def test_an_entity_that_stands_more_than_once_is_named_once():
    found = repeated_entities(pl.DataFrame({ENTITY: [1, 2, 2, 3, 3, 3, 4]}))
    assert sorted(found[ENTITY]) == [2, 3]


def test_a_merge_brings_two_recorded_users_together_in_one_key():
    recorded = [(0, 1, 7, 1, MONDAY), (1, 1, 7, 2, TUESDAY), (2, 1, 7, 3, MONDAY)]
    assert losers(recorded) == []
    assert losers(recorded, {1: 2}) == [0]


@settings(max_examples=100, deadline=None)
@given(rows=_rows, merged=st.dictionaries(st.integers(1, 2), st.integers(1, 4), max_size=2))
def test_rows_lose_with_merges_as_they_do_when_every_user_is_replaced_beforehand(rows, merged):
    replaced = [
        (place, dump_id, entity, merged.get(owner, owner), time) for place, dump_id, entity, owner, time in rows
    ]
    assert losers(rows, merged) == losers(replaced)


_map = st.dictionaries(st.integers(1, 2), st.integers(1, 4), max_size=2)


@settings(max_examples=200, deadline=None)
@given(rows=_rows, arrived=_rows, before=_map, after=_map)
def test_what_is_updated_after_rows_and_merges_is_what_is_found_at_once(rows, arrived, before, after):
    then, now = merges(before), merges(after)
    arrived = [(len(rows) + place, *row) for place, *row in arrived]
    came = {entity for _, _, entity, *_ in arrived}
    earlier, everything = key_frame(rows), key_frame([*rows, *arrived])
    known = with_duplicates(earlier.filter(pl.col(ENTITY).is_duplicated()), then)
    met = everything.filter(pl.col(ENTITY).is_in(came))
    remapped = remapped_users(then, now)["user_id"]
    found = updated_duplicates(known, met, remapped=remapped, identity_map=now)
    at_once = with_duplicates(everything.filter(pl.col(ENTITY).is_duplicated()), now)
    assert found.sort(ROW_ID).equals(at_once.sort(ROW_ID))
    assert (found is known) == (not came & set(everything.filter(pl.col(ENTITY).is_duplicated())[ENTITY])) or len(
        remapped
    )


def stored_rows(**columns: list) -> pl.LazyFrame:
    height = len(next(iter(columns.values())))
    types = {"time": pl.Datetime("us"), "long": pl.Int64}
    series = {
        name.replace("__", "$"): pl.Series(values, dtype=types[name.rpartition("__")[2]])
        for name, values in columns.items()
    }
    return pl.DataFrame({ROW_ID: range(height), DUMP_ID: [1] * height, **series}).lazy()


def test_the_key_frame_of_events_is_event_user_and_time_without_rows_that_lack_an_id():
    rows = stored_rows(event_id__long=[7, None, 9], user_id__long=[1, 2, None], time__time=[None, MONDAY, MONDAY])
    assert keys(rows, EVENT).collect().rows() == [(0, 1, 7, 1, None)]


def test_sessions_are_keyed_by_session_and_need_all_three_ids():
    rows = stored_rows(
        session_id__long=[5, 5, 5], event_id__long=[7, None, 8], user_id__long=[1, 1, 2], time__time=[MONDAY] * 3
    )
    assert keys(rows, SESSIONS).collect().rows() == [(0, 1, 5, 1, MONDAY), (2, 1, 5, 2, MONDAY)]


def test_users_are_keyed_by_one_id_and_the_last_modified_counts():
    rows = stored_rows(user_id__long=[4], last_modified__time=[TUESDAY], time__time=[MONDAY])
    assert keys(rows, USERS).collect().rows() == [(0, 1, 4, None, TUESDAY)]


def test_migrations_are_keyed_by_who_was_merged_and_need_both_ids():
    rows = stored_rows(from_user_id__long=[1, 2], to_user_id__long=[9, None], time__time=[None, None])
    assert keys(rows, USER_MIGRATIONS).collect().rows() == [(0, 1, 1, None, None)]
