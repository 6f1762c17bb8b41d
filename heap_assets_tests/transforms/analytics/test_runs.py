"""Rows in order, and the place of each row in its run.

Here: keys, ties and nulls. Not here: what is sorted.
"""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.transforms.analytics.runs import begins_run, in_order, place_in_run

KEYS = ("a", "b", "c", "d")
SCHEMA = dict.fromkeys((*KEYS, "place"), pl.Int64)


def test_the_sort_is_stable_and_nulls_are_last():
    rows = pl.DataFrame({"a": [None, 2, 1, 2], "b": [1, 2, 3, 4]})
    assert in_order(rows, "a").rows() == [(1, 3), (2, 2), (2, 4), (None, 1)]


def test_a_null_is_a_run_of_its_own():
    rows = pl.DataFrame({"a": [1, None, None, 2], "b": [None, None, 1, 1]})
    assert rows.select(begins_run("a", "b")).to_series().to_list() == [True, True, True, True]
    assert rows.select(place_in_run(begins_run("a"))).to_series().to_list() == [1, 1, 2, 1]


_cells = st.sampled_from([None, 1, 2, 3])


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(st.tuples(*[_cells] * 4), max_size=14), keys=st.integers(1, 4))
def test_keys_and_ties_sort_as_python_does(cells, keys):
    rows = pl.DataFrame([(*row, place) for place, row in enumerate(cells)], schema=SCHEMA, orient="row")
    found = in_order(rows, *KEYS[:keys], ties=KEYS[keys:])
    expected = sorted(rows.rows(), key=lambda row: [(cell is None, cell or 0) for cell in row[:4]])
    assert found.rows() == expected
    places: dict[tuple, int] = {}
    for row, place in zip(found.rows(), found.select(place_in_run(begins_run(*KEYS))).to_series(), strict=True):
        places[row[:4]] = places.get(row[:4], 0) + 1
        assert place == places[row[:4]]
