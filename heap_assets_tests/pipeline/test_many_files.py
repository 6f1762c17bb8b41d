"""A table of one dump in more files than S3 lists in ten pages: it lands in one go, and into few Parquet files.

Here: one table, tiny files. Not here: how fast large files are decoded (benchmarks/).
"""

import time

import pytest

from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import published_by, run, sync_of

FILES = 10_500
SECONDS = 60
EVENT = "event_id:long user_id:long time:long"


@pytest.mark.slow
def test_ten_thousand_tiny_files_land_quickly_and_in_few_files(tmp_path):
    moment = 1_717_200_000_000
    files = tuple(
        data_file(EVENT, (number, number % 7, moment + number), name=f"{number}.avro") for number in range(FILES)
    )
    write_dump(tmp_path / "export", dump(1, {"signup": files}))
    sync = sync_of(tmp_path / "export", tmp_path / "home")
    began = time.monotonic()

    landing = run(sync)

    assert time.monotonic() - began < SECONDS
    assert landing.failures == ()
    assert dict(landing.rows) == {("signup", 1): FILES}
    assert len(list((tmp_path / "home" / "lake" / "raw").rglob("*.parquet"))) <= 10
    rows = published_by(sync)["main_production", "signup"].rows
    assert sorted(row[0] for row in rows) == list(range(FILES))
