"""What holds for every table that is made user by user: the order of rows and the partition of users change nothing."""

from collections.abc import Callable, Collection, Mapping

import polars as pl
from hypothesis import strategies as st


def rows_of(frame: pl.DataFrame) -> list[dict]:
    """Return the rows as a list that does not depend on their order."""
    return sorted(frame.to_dicts(), key=repr)


def assert_user_local(
    table: Callable[..., pl.DataFrame],
    frames: Mapping[str, pl.DataFrame],
    data: st.DataObject,
    *,
    user: Mapping[str, str],
    in_order: Collection[str] = (),
) -> None:
    """Assert that a table is the same of shuffled rows and by buckets; ``user`` names each frame's user column.

    Frames that the table asks for ``in_order`` keep theirs.
    """
    whole = table(**frames)
    seed = data.draw(st.integers(0, 2**16), label="seed")
    shuffled = {
        name: frame if name in in_order else frame.sample(fraction=1, shuffle=True, seed=seed)
        for name, frame in frames.items()
    }
    assert rows_of(table(**shuffled)) == rows_of(whole)
    buckets = [
        table(**{name: frame.filter(pl.col(user[name]) % 2 == bucket) for name, frame in frames.items()})
        for bucket in (0, 1)
    ]
    assert {bucket.schema == whole.schema for bucket in buckets} == {True}
    assert rows_of(pl.concat(buckets)) == rows_of(whole)
