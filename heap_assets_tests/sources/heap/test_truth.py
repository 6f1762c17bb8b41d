"""Truth: which deliveries make up a table, as flags flip and tables come whole.

Here: dumps in, deliveries out. Not here: which row of two counts (transforms/test_duplicates.py).
"""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.sources.heap.manifest import Delivery, Dump
from heap_assets.sources.heap.truth import current_deliveries, last_listing, tables_with_files

FULL, MORE = False, True


def dump(dump_id: int, **tables: tuple[bool, int]) -> Dump:
    """Return a dump that lists tables with their flag and number of files."""
    deliveries = [
        Delivery(table=name, incremental=incremental, file_count=files) for name, (incremental, files) in tables.items()
    ]
    return Dump(
        dump_id=dump_id,
        digest=f"{dump_id}",
        manifest_key=f"manifests/sync_{dump_id}.json",
        modified=datetime(2024, 6, 1, tzinfo=UTC),
        deliveries=tuple(deliveries),
    )


def current(*dumps: Dump) -> dict[str, list[int]]:
    """Return the numbers of the dumps that make up each table."""
    return {table: [item.dump.dump_id for item in items] for table, items in current_deliveries(dumps).items()}


def test_incremental_deliveries_add_up_in_the_order_of_numbers():
    assert current(dump(1000, a=(MORE, 1)), dump(20, a=(MORE, 1)), dump(999, a=(MORE, 1))) == {"a": [20, 999, 1000]}


def test_a_full_resync_voids_what_earlier_dumps_said_of_this_table_only():
    dumps = (dump(1, a=(MORE, 1), b=(MORE, 1)), dump(2, a=(FULL, 1), b=(MORE, 1)), dump(3, a=(MORE, 1)))
    assert current(*dumps) == {"a": [2, 3], "b": [1, 2]}


def test_the_flag_may_flip_any_number_of_times():
    flags = [FULL, MORE, FULL, MORE, MORE, FULL, MORE]
    dumps = [dump(number, a=(flag, 1)) for number, flag in enumerate(flags)]
    assert current(*dumps) == {"a": [5, 6]}
    assert current(*dumps[:5]) == {"a": [2, 3, 4]}


def test_an_earlier_full_resync_that_arrives_late_voids_nothing_newer():
    assert current(dump(5, a=(MORE, 1)), dump(3, a=(FULL, 1)), dump(2, a=(MORE, 1))) == {"a": [3, 5]}


def test_a_full_resync_without_files_empties_the_table_but_it_is_still_there():
    assert current(dump(1, a=(MORE, 1)), dump(2, a=(FULL, 0))) == {"a": [2]}
    assert current(dump(1, a=(MORE, 1)), dump(2, a=(FULL, 0)), dump(3, a=(MORE, 2))) == {"a": [2, 3]}


def test_an_incremental_delivery_without_files_changes_nothing():
    assert current(dump(1, a=(FULL, 1)), dump(2, a=(MORE, 0)), dump(3, a=(MORE, 1))) == {"a": [1, 2, 3]}


def test_a_dump_that_does_not_list_a_table_says_nothing_of_it():
    assert current(dump(1, a=(FULL, 1)), dump(2, b=(FULL, 1)), dump(3)) == {"a": [1], "b": [2]}


@pytest.mark.parametrize("table", ["user_migrations", "_event_metadata"])
def test_of_a_table_that_comes_whole_only_the_last_delivery_counts_whatever_its_flag(table):
    assert current(dump(1, **{table: (MORE, 1)}), dump(2, **{table: (MORE, 2)})) == {table: [2]}
    assert current(dump(1, **{table: (FULL, 1)}), dump(2, **{table: (MORE, 1)})) == {table: [2]}


@pytest.mark.parametrize("table", ["user_migrations", "_event_metadata"])
def test_a_table_that_comes_whole_is_kept_by_an_incremental_delivery_without_files_and_emptied_by_a_full_one(table):
    assert current(dump(1, **{table: (MORE, 1)}), dump(2, **{table: (MORE, 0)})) == {table: [1]}
    assert current(dump(1, **{table: (MORE, 1)}), dump(2, **{table: (FULL, 0)})) == {table: [2]}
    assert current(dump(1, **{table: (MORE, 0)})) == {table: []}


def test_other_system_tables_add_up_like_event_tables():
    assert current(dump(1, _sync_info=(MORE, 1)), dump(2, _sync_info=(MORE, 1))) == {"_sync_info": [1, 2]}


_tables = st.sampled_from(["a", "b", "user_migrations"])
_dumps = st.dictionaries(
    st.integers(1, 30), st.dictionaries(_tables, st.tuples(st.booleans(), st.integers(0, 2))), max_size=7
)


@settings(max_examples=100, deadline=None)
@given(numbered=_dumps, data=st.data())
def test_the_order_in_which_dumps_arrive_changes_nothing(numbered, data):
    dumps = [dump(number, **tables) for number, tables in numbered.items()]
    found = current(*dumps)
    assert current(*data.draw(st.permutations(dumps))) == found
    for table, numbers in found.items():
        listed = {number: tables[table] for number, tables in sorted(numbered.items()) if table in tables}
        full = [number for number, (incremental, _) in listed.items() if not incremental]
        if table != "user_migrations":
            assert numbers == [number for number in listed if number >= max(full, default=0)]


def test_a_table_exists_once_any_dump_brought_a_file_even_one_that_was_voided():
    dumps = [dump(1, a=(MORE, 1), b=(MORE, 0)), dump(2, a=(FULL, 0), c=(FULL, 0))]
    assert tables_with_files(dumps) == {"a"}


def test_the_last_listing_is_that_of_the_greatest_dump_with_or_without_files():
    last = last_listing([dump(9, a=(MORE, 0)), dump(2, a=(FULL, 1), b=(MORE, 1))])
    assert {table: item.dump.dump_id for table, item in last.items()} == {"a": 9, "b": 2}
    assert last["a"].delivery.file_count == 0
