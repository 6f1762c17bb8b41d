"""Any way of cutting the same dumps into runs ends in the same tables: drawn exports against the oracle.

Here: splits, orders, redeliveries, faults, rebuilds, settings of one export. Not here: crashes (test_crash.py),
S3 (test_s3.py), what the tables should be (oracles/). HEAP_TEST_EXAMPLES raises the number of drawn exports.
"""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from heap_assets_tests.configurations import EVERYTHING, configurations
from heap_assets_tests.exports.delivery import delivery_runs, first_manifest_times
from heap_assets_tests.exports.strategies import exports, faults
from heap_assets_tests.exports.writer import write_dump, write_export, write_manifest
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_state, published_tables
from heap_assets_tests.published import configured, limited, published_by, run, scratch, some, sync_of

SECOND = 1_000_000


def assert_equal(expected, found):
    assert differences(expected, found) == []


@some(10)
@given(exports())
def test_all_dumps_at_once_end_in_the_tables_of_the_oracle(export):
    with scratch() as folder:
        write_export(folder / "export", export)
        sync = sync_of(folder / "export", folder / "home")

        assert run(sync).failures == ()

        assert_equal(published_tables(folder / "export"), published_by(sync))


@some(5)
@given(st.data())
def test_any_split_and_order_of_arrival_ends_in_the_tables_of_the_oracle(data):
    export = data.draw(exports())
    runs = data.draw(delivery_runs(export))
    most = data.draw(st.sampled_from([1, 2, 8]))
    with scratch() as folder, limited(most_small_files=most):
        root = folder / "export"
        root.mkdir()
        arrived = Counter()
        for steps in runs:
            sync = sync_of(root, folder / "home")
            landed = max(sync.ledger().dumps, default=-1)
            for step in steps:
                step.apply(root)
                arrived[step.kind, step.dump_id] += 1
            if not [*root.glob("manifests/*.json")]:
                continue  # nothing has arrived
            landing = run(sync)
            if is_comparable(export, arrived):
                tables, failure = published_state(root)
                if failure is None or failure.dump_id > landed:
                    assert_equal(tables, published_by(sync))
                    assert (failure is None) == (landing.failures == ())

        assert landing.failures == ()
        assert landing.waiting == ()
        assert_equal(published_tables(root, manifest_times=first_manifest_times(export)), published_by(sync))


def is_comparable(export, arrived):
    """Tell whether the folder alone says what is published: no dump is half rewritten, no manifest came once more."""
    dump_ids = {dump.dump_id for dump in export.dumps}
    whole = all(
        arrived["files", dump_id] == arrived["manifest", dump_id] or arrived["manifest", dump_id] == 0
        for dump_id in dump_ids
    )
    return whole and not any(kind == "touch" for kind, _ in arrived)


@some(4)
@given(exports())
def test_equal_content_again_relanding_and_rebuilding_change_nothing(export):
    with scratch() as folder:
        root = folder / "export"
        write_export(root, export)
        sync = sync_of(root, folder / "home")
        run(sync)
        expected = published_by(sync)
        dumps = sync.ledger().dumps

        for dump in {dump.dump_id: dump for dump in export.dumps}.values():
            write_manifest(root, dump, dump.modified + 86_400 * SECOND)
        again = run(sync_of(root, folder / "home"))
        assert (dict(again.rows), again.taken) == ({}, ())
        assert_equal(expected, published_by(sync))

        assert sync.land(reland=[*dumps]).failures == ()
        run(sync)
        assert_equal(expected, published_by(sync))

        run(sync, rebuild=True)
        assert_equal(expected, published_by(sync))

        lake = folder / "home" / "lake"
        lake.joinpath("state.json").unlink()
        for file in lake.glob("resolved/*.parquet"):
            file.unlink()
        run(sync_of(root, folder / "home"))
        assert_equal(expected, published_by(sync))


@some(6)
@given(faults())
def test_a_fault_is_named_and_stops_its_dump_and_is_gone_once_mended(fault):
    with scratch() as folder:
        root = folder / "export"
        write_export(root, fault.broken)
        tables, failure = published_state(root)
        sync = sync_of(root, folder / "home")

        told = {failed.dump_id: failed.reason for failed in run(sync).failures}

        assert_equal(tables, published_by(sync))
        if failure is None:  # a later dump voids what is broken
            assert told == {}
            return
        reason = told[failure.dump_id]
        assert any(file.rpartition(f"/sync_{failure.dump_id}/")[2] in reason for file in failure.files)
        assert str(failure.dump_id) in reason

        write_dump(root, fault.mend)
        mended = run(sync_of(root, folder / "home"))

        assert (mended.failures, mended.waiting) == ((), ())
        assert_equal(published_tables(root), published_by(sync))


@some(4)
@given(exports(), st.sampled_from(["views", "tables"]))
def test_views_and_tables_publish_the_same_in_every_set_of_columns(export, facts_as):
    with scratch() as folder:
        root, home = folder / "export", folder / "home"
        write_export(root, export)
        run(sync_of(root, home))
        for column_set in ("all", "builtin", "basic"):
            config = configured(home, all_events_columns=column_set)
            facts_as = {"views": "tables", "tables": "views"}[facts_as]
            sync = sync_of(root, home, HEAP_CONFIG=str(config), HEAP_FACTS_AS=facts_as)
            run(sync)
            assert_equal(published_tables(root, all_events_columns=column_set), published_by(sync))


@some(6)
@given(exports(), configurations())
def test_a_configuration_of_funnels_segments_and_channels_ends_in_the_tables_of_the_oracle(export, keys):
    with scratch() as folder:
        root, home = folder / "export", folder / "home"
        write_export(root, export)
        run(sync_of(root, home))  # the models of another configuration are there already

        sync = sync_of(root, home, HEAP_CONFIG=str(configured(home, **keys)))
        run(sync)

        assert_equal(published_tables(root, analytics={**EVERYTHING, **keys}), published_by(sync))
