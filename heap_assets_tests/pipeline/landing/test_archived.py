"""Which tables Heap delivers no more."""

import polars as pl
import pytest

from heap_assets.pipeline.landing.archived import DUMPS_WITHOUT, archived_tables
from heap_assets.sources.heap.manifest import read_manifest
from heap_assets_tests.exports.pools import FIRST


def manifest(dump_id: int, *tables: str):
    import json
    from datetime import UTC, datetime

    listed = [{"name": table, "files": [], "columns": [], "incremental": True} for table in tables]
    text = json.dumps({"dump_id": dump_id, "tables": listed}).encode()
    return read_manifest(text, key="manifests/x.json", modified=datetime.fromtimestamp(FIRST / 1_000_000, UTC))


@pytest.mark.parametrize(("newer", "archived"), [(DUMPS_WITHOUT - 1, set()), (DUMPS_WITHOUT, {"sign_up"})])
def test_an_event_that_many_dumps_left_out_is_archived_and_heaps_own_tables_never_are(newer, archived):
    dumps = [manifest(1, "sign_up", "pageviews", "orders")] + [manifest(2 + n, "orders") for n in range(newer)]
    found = archived_tables(dumps)
    assert set(found) == archived
    assert all("dump 1 was the last" in why for why in found.values())


def test_a_table_that_dropped_tables_names_is_dropped_whatever_the_column_is_called():
    dumps = [manifest(1, "sign_up", "orders")]
    frame = pl.DataFrame({"anything": ["sign_up", None, "unknown"], "dropped_at": [1, 2, 3]})
    assert set(archived_tables(dumps, frame)) == {"sign_up"}
    assert archived_tables(dumps, pl.DataFrame()) == {}
