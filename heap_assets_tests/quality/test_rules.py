"""Every rule on frames and numbers: when it is silent, when it speaks, what it counts, which keys it names."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from heap_assets.quality import deliveries, identity
from heap_assets.quality.keys import DAMAGED_ROWS, delivery_outcome, key_outcome
from heap_assets.quality.outcome import MOST_KEYS, Verdict
from heap_assets.quality.rows import reference_outcome, times_outcome

PASSED, WARNING, FAILED = Verdict.PASSED, Verdict.WARNING, Verdict.FAILED
ENDED = datetime(2026, 7, 1)  # noqa: DTZ001


def keys(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"event_id": pl.Int64, "user_id": pl.Int64}, orient="row")


@pytest.mark.parametrize(
    ("frame", "verdict", "without", "repeated", "named"),
    [
        (keys(), PASSED, 0, 0, ()),
        (keys((1, 1), (1, 2), (2, 1)), PASSED, 0, 0, ()),
        (keys((1, 1), (1, 1), (2, 1)), FAILED, 0, 1, ("event_id=1, user_id=1",)),
        (keys((1, None), (2, 1)), FAILED, 1, 0, ("event_id=1, user_id=null",)),
        (keys(*[(n % 20, 1) for n in range(60)]), FAILED, 0, 20, None),
    ],
)
def test_keys_are_unique_and_not_null(frame, verdict, without, repeated, named):
    found = key_outcome(frame, rows=99)
    assert (found.verdict, found.numbers["rows_checked"]) == (verdict, 99)
    assert (found.numbers["rows_without_key"], found.numbers["repeated_keys"]) == (without, repeated)
    assert found.keys == named if named is not None else len(found.keys) == MOST_KEYS


@pytest.mark.parametrize(
    ("rows", "lacking", "damaged"),
    [
        (DAMAGED_ROWS - 1, DAMAGED_ROWS - 1, False),
        (DAMAGED_ROWS, 50, False),
        (DAMAGED_ROWS, 51, True),
        (10**6, 1, False),
    ],
)
def test_a_delivery_that_is_mostly_without_ids_is_damaged(rows, lacking, damaged):
    found = delivery_outcome(keys(*[(None, n) for n in range(lacking)]), dump_id=7, rows=rows)
    assert (found is not None) is damaged
    if found is not None:
        assert found.verdict is FAILED
        assert found.message.startswith("Dump 7: 51 of 100 rows")
        assert len(found.keys) == MOST_KEYS


@pytest.mark.parametrize(
    ("before", "now", "verdict", "told"),
    [
        (None, {"a": "long"}, PASSED, "no delivery to compare with"),
        ({"a": "long"}, {"a": "long"}, PASSED, "same columns"),
        ({"a": "long"}, {"a": "long", "b": "string"}, PASSED, "new: b"),
        ({"a": "long", "b": ""}, {"a": "long"}, WARNING, "gone: b"),
        ({"a": "long"}, {"a": "string"}, WARNING, "a (long, now string)"),
        ({"a": ""}, {"a": "string"}, PASSED, "same columns"),
        ({"a": "long"}, {"a": ""}, PASSED, "same columns"),
    ],
)
def test_columns_are_those_of_the_dump_before(before, now, verdict, told):
    found = deliveries.schema_outcome(before, now)
    assert found.verdict is verdict
    assert told in found.message


@pytest.mark.parametrize(
    ("columns", "rows", "undated", "verdict", "told"),
    [
        ({"event_id", "time"}, 100, 1, PASSED, "Has event_id, time; 1 of 100 rows"),
        ({"event_id", "time"}, 100, 2, WARNING, "2 of 100 rows are without a time"),
        ({"event_id"}, 100, 0, FAILED, "Lacks time"),
        ({"event_id"}, 0, 0, PASSED, "No row was delivered"),
        (set(), 0, 0, PASSED, "No row was delivered"),
    ],
)
def test_required_columns_are_there_and_rows_are_dated(columns, rows, undated, verdict, told):
    found = deliveries.required_outcome(columns, must_have=("event_id", "time"), rows=rows, undated=undated)
    assert found.verdict is verdict
    assert told in found.message


@pytest.mark.parametrize(
    ("rows", "recent", "verdict"),
    [
        (0, [100] * 4, PASSED),
        (25, [100] * 5, PASSED),
        (24, [100] * 5, WARNING),
        (400, [100] * 5, PASSED),
        (401, [100] * 5, WARNING),
        (0, [100, 90, 110, 100, 5000], WARNING),
        (5, [1] * 9, PASSED),
        (0, [0] * 9, PASSED),
    ],
)
def test_a_delivery_is_about_as_large_as_recent_ones(rows, recent, verdict):
    assert deliveries.volume_outcome(rows, recent).verdict is verdict


@pytest.mark.parametrize(
    ("delivered", "stored", "heaps", "verdict"),
    [(5, 5, None, PASSED), (5, 5, 5, PASSED), (5, 5, 6, WARNING), (5, 4, None, FAILED), (5, 4, 5, FAILED)],
)
def test_every_delivered_row_is_in_the_lake(delivered, stored, heaps, verdict):
    assert deliveries.rows_outcome(delivered=delivered, stored=stored, heaps_count=heaps).verdict is verdict


@pytest.mark.parametrize(
    ("incremental", "before", "now", "verdict", "changed", "told"),
    [
        (True, 100, 5, PASSED, 0.0, "Nothing was replaced"),
        (False, None, 5, PASSED, 0.0, "whole table, 5 rows; none are known that it replaced"),
        (False, 0, 5, PASSED, 0.0, "whole table, 5 rows; none are known that it replaced"),
        (False, 100, 105, PASSED, 0.05, "whole table: 100 rows before, 105 now (+5.0%)"),
        (False, 100, 106, WARNING, 0.06, "whole table"),
        (False, 100, 0, WARNING, -1.0, "whole table"),
    ],
)
def test_a_resync_is_announced_with_how_much_it_changed(*, incremental, before, now, verdict, changed, told):
    found = deliveries.resync_outcome(7, incremental=incremental, before=before, now=now)
    assert found.verdict is verdict
    assert found.numbers["changed"] == pytest.approx(changed)
    assert told in found.message


def timed(*times: datetime | None) -> pl.LazyFrame:
    return pl.LazyFrame(
        {"event_id": range(len(times)), "time": times}, schema={"event_id": pl.Int64, "time": pl.Datetime}
    )


@pytest.mark.parametrize(
    ("times", "verdict", "named"),
    [
        ([], PASSED, ()),
        ([ENDED, ENDED + timedelta(days=1), datetime(2010, 1, 1), None], PASSED, ()),  # noqa: DTZ001
        ([ENDED] * 99 + [datetime(1970, 1, 20)], PASSED, ("event_id=99, time=1970-01-20 00:00:00",)),  # noqa: DTZ001
        ([ENDED] * 98 + [ENDED + timedelta(days=2)] * 2, WARNING, None),
        ([datetime(2009, 12, 31)] * 3, FAILED, None),  # noqa: DTZ001
    ],
)
def test_times_lie_in_range(times, verdict, named):
    found = times_outcome(timed(*times), time="time", key=["event_id"], until=ENDED)
    assert found.verdict is verdict
    if named is not None:
        assert found.keys == named


@pytest.mark.parametrize(
    ("sessions", "verdict", "unknown"),
    [([None] * 4, PASSED, 0), ([1, 1, 2, 2], PASSED, 0), ([1, 1, 1, 9], PASSED, 1), ([1, 1, 9, 9], WARNING, 2)],
)
def test_what_rows_refer_to_is_known(sessions, verdict, unknown):
    rows = pl.LazyFrame({"event_id": [1, 2, 3, 4], "session_id": pl.Series(sessions, dtype=pl.Int64)})
    known = pl.LazyFrame({"session_id": [1, 2, 2]})
    found = reference_outcome(rows, known, column="session_id", key=["event_id"], what="the sessions")
    assert (found.verdict, found.numbers["unknown"]) == (verdict, unknown)
    assert len(found.keys) == unknown


def migrations(*edges: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(edges, schema={"from_user_id": pl.Int64, "to_user_id": pl.Int64}, orient="row")


def resolved(edges: pl.DataFrame) -> pl.DataFrame:
    from heap_assets.transforms.identity import identity_map

    return identity_map(edges.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("time")))


@pytest.mark.parametrize(
    ("edges", "cycles", "conflicts"),
    [
        ([], 0, 0),
        ([(1, 2), (2, 3), (5, 5)], 0, 0),
        ([(1, 2), (2, 1)], 1, 0),
        ([(1, 2), (1, 3), (1, 3)], 0, 1),
        ([(1, 2), (2, 1), (3, 4), (4, 5), (5, 3), (9, 1)], 2, 0),
    ],
)
def test_circles_and_users_with_two_targets_are_counted(edges, cycles, conflicts):
    frame = migrations(*edges)
    found = identity.cycles_outcome(frame, resolved(frame)), identity.conflicts_outcome(frame)
    assert [outcome.numbers[name] for outcome, name in zip(found, ("cycles", "conflicts"), strict=True)] == [
        cycles,
        conflicts,
    ]
    assert [outcome.passed for outcome in found] == [not cycles, not conflicts]


def test_a_person_of_too_many_users_is_named_and_one_whose_identity_says_nothing():
    many = identity.MOST_USERS_IN_ONE
    frame = migrations(*[(n, 1) for n in range(10, 10 + many + 1)], *[(5000 + n, 2) for n in range(3)], (9000, 3))
    identities = pl.DataFrame({"user_id": [1, 2, 3], "identity": ["ann@example.com", " Undefined", "bob@example.com"]})
    found = identity.fan_in_outcome(resolved(frame), identities)
    assert found.verdict is WARNING
    assert found.keys == (
        "user_id=1, merged_users=1001, identity=null",
        "user_id=2, merged_users=3, identity= Undefined",
    )
    assert "example.com" not in str(found)
    small = identity.fan_in_outcome(resolved(migrations((10, 1))), identities)
    assert small.verdict is PASSED
