"""Layers: the rows that count are those of each user's newest layer, in the order in which they were made."""

import polars as pl
import pytest

from heap_assets.lake.layers import RowsByUser
from heap_assets.lake.storage import FolderStorage
from heap_assets.lake.written_files import write_file
from heap_assets.limits import LayerLimits
from heap_assets.pipeline.build.analytics_state import BuiltModel

USERS, STEPS = 100_000, 4
ROWS = RowsByUser("user", "rows", "a model")


def rows_of(users, made):
    """Return so many steps of each user, one after the other, enough for many batches of Polars."""
    steps = pl.DataFrame({"step": range(1, STEPS + 1)}, schema={"step": pl.Int64})
    return pl.DataFrame({"user": users}, schema={"user": pl.Int64}).join(steps, how="cross").with_columns(made=made)


@pytest.mark.parametrize(("every", "layers_left"), [((10, 15), 3), ((10, 15, 5), 1)])  # the third makes them too many
def test_rows_of_a_user_stand_together_in_order_and_are_those_of_the_newest_layer(tmp_path, every, layers_left):
    storage = FolderStorage(tmp_path)
    base = ROWS.kept(storage, rows_of(range(USERS), pl.lit(0)))
    made = BuiltModel(of="", layers=(base,), rows=base.rows)
    again = [range(0, USERS, one) for one in every]  # some were refreshed twice
    for number, users in enumerate(again, start=1):
        whose = write_file(storage, "rows", pl.DataFrame({"user_id": users}), about="users").path
        layer = ROWS.kept(storage, rows_of(users, pl.lit(number)), users=whose)
        layers, rows = ROWS.with_layer(storage, made, layer, LayerLimits())
        made = BuiltModel(of="", layers=layers, rows=rows)
    assert len(made.layers) == layers_left
    found = ROWS.live(storage, made.layers).collect(engine="streaming")
    assert found.height == made.rows == USERS * STEPS
    follows = (pl.col("user") == pl.col("user").shift(1)) & (pl.col("step") == pl.col("step").shift(1) + 1)
    assert found.filter(pl.col("step") > 1).height == found.filter(follows).height
    newest = [max((n for n, users in enumerate(again, start=1) if user in users), default=0) for user in range(USERS)]
    assert found.filter(step=1).sort("user")["made"].to_list() == newest
