"""Facts that are added to dump by dump are those that a first run finds, also where clients' clocks are ahead."""

from hypothesis import given
from hypothesis import strategies as st

from heap_assets.pipeline.resolve import table_facts
from heap_assets.pipeline.resolve.rows_of_merged_users import rows_of_merged_users
from heap_assets_tests.exports.pools import DAY, FIRST
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import limited, scratch, some, sync_of

COLUMNS = "event_id:long user_id:long session_id:long time:long"
_hours = st.integers(0, 24 * 9)
_arrivals = st.lists(st.lists(_hours, max_size=6), min_size=2, max_size=5)


@some(6)
@given(_arrivals, st.sampled_from([1, 2, 3, 5_000]))
def test_times_ahead_of_their_dump_are_reached_by_later_ones(arrivals, most_ahead):
    with limited(most_times_ahead=most_ahead), scratch() as folder:
        for number, hours in enumerate(arrivals, start=1):
            rows = [(100 * number + at, 1, 1, FIRST + hour * DAY // 24) for at, hour in enumerate(hours)]
            write_dump(folder / "export", dump(number, {"orders": data_file(COLUMNS, *rows)}))
            grown = facts(folder, "grown")
            assert grown == facts(folder, f"anew-{number}")
            reached = [time for times in arrivals[:number] for time in times if time <= number * 24]
            synced_to = grown.synced_to and (grown.synced_to - table_facts._EPOCH).total_seconds() * 1e6
            assert synced_to == (FIRST + max(reached) * DAY // 24 if reached else None)


def resolved(folder, home):
    sync = sync_of(folder / "export", folder / home)
    sync.land()
    return sync.storage, sync.resolve()


def facts(folder, home):
    return resolved(folder, home)[1].tables["orders"].facts


def merged_rows(folder):
    storage, resolution = resolved(folder, "home")
    return rows_of_merged_users(storage, resolution, ["orders"])["orders"]


def test_rows_of_merged_users_are_counted_as_merges_come_and_go(tmp_path):
    merge = data_file("from_user_id:long to_user_id:long", (1, 2))
    rows = [(11, 1, 1, FIRST), (12, 1, 1, FIRST), (13, 2, 1, FIRST), (14, 3, 1, FIRST)]
    write_dump(tmp_path / "export", dump(1, {"orders": data_file(COLUMNS, *rows)}))
    assert merged_rows(tmp_path) == 0
    write_dump(tmp_path / "export", dump(2, {"user_migrations": merge}))
    assert merged_rows(tmp_path) == 2
    again = [(11, 1, 1, FIRST), (15, 1, 1, FIRST), (16, 3, 1, FIRST)]  # one comes a second time
    write_dump(tmp_path / "export", dump(3, {"orders": data_file(COLUMNS, *again)}))
    assert merged_rows(tmp_path) == 3
    other = data_file("from_user_id:long to_user_id:long", (3, 2))  # migrations come whole each time
    write_dump(tmp_path / "export", dump(4, {"user_migrations": other}))
    assert merged_rows(tmp_path) == 2
