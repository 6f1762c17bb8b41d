"""Publishing again what has not changed: no view of any export is made a second time, and the tables stay.

Here: drawn exports, with the text in which DuckDB gives back the views of ours. Not here: views that changed or that
somebody altered (targets/duckdb/test_file.py).
"""

import pytest
from hypothesis import given

from heap_assets.targets.duckdb.file import PublishedFile
from heap_assets_tests.exports.busy import CONFIGURATION, busy_exports
from heap_assets_tests.exports.strategies import exports
from heap_assets_tests.exports.writer import write_dump, write_export
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.published import configured, published_by, run, scratch, some, sync_of


def views_made_again(sync) -> list[tuple[str, str, str]]:
    """Publish once more; return the views that were there and were made anew."""
    removed = []
    real = PublishedFile._remove

    def remove(file, schema, name):
        removed.extend(there for there in file._there.values() if there[2] == "VIEW" and there[:2] == (schema, name))
        real(file, schema, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PublishedFile, "_remove", remove)
        sync.publish()
    return removed


@some(2)
@given(exports())
def test_no_view_of_an_odd_export_is_made_again(export):
    with scratch() as folder:
        write_export(folder / "export", export)
        sync = sync_of(folder / "export", folder / "home")
        run(sync)
        before = published_by(sync)
        assert views_made_again(sync) == []
        assert differences(before, published_by(sync)) == []


@some(1)
@given(busy_exports())
def test_no_view_of_a_busy_export_is_made_again_nor_one_with_labeled_properties(dumps):
    with scratch() as folder:
        for one in dumps:
            write_dump(folder / "export", one)
        home = folder / "home"
        home.mkdir()
        sync = sync_of(folder / "export", home, HEAP_CONFIG=str(configured(home, **CONFIGURATION)))
        run(sync)
        assert views_made_again(sync) == []
