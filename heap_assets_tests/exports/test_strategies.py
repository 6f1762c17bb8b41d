import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from heap_assets_tests.exports.delivery import deliveries, delivery_runs, first_manifest_times
from heap_assets_tests.exports.strategies import exports, faults
from heap_assets_tests.exports.writer import write_dump, write_export
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.export_reader import ExportBroken
from heap_assets_tests.oracles.tables import published_state, published_tables

S, M = "main_production", "main_production_migrated"
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def folder():
    root = Path(tempfile.mkdtemp())
    try:
        yield root
    finally:
        shutil.rmtree(root)


def settled(export):
    with folder() as root:
        write_export(root, export)
        return published_tables(root)


@SOME
@given(st.data())
def test_an_export_ends_in_the_same_tables_in_whatever_order_it_arrives(data):
    export = data.draw(exports())
    runs = data.draw(delivery_runs(export))
    with folder() as root:
        for run in runs:
            for step in run:
                step.apply(root)
        arrived = published_tables(root, manifest_times=first_manifest_times(export))

    assert differences(settled(export), arrived) == []
    assert sorted(map(repr, deliveries(export))) == sorted(repr(step) for run in runs for step in run)


@SOME
@given(faults())
def test_a_fault_is_gone_once_its_dump_is_written_again(fault):
    with folder() as root:
        write_export(root, fault.broken)
        before, failure = published_state(root)
        write_dump(root, fault.mend)
        after = published_tables(root)

    expected = settled(fault.mended)
    assert differences(expected, after) == []
    assert failure is not None or set(before) == set(expected)


@SOME
@given(exports())
def test_a_written_export_is_the_same_byte_for_byte_and_time_for_time(export):
    with folder() as first, folder() as second:
        write_export(first, export)
        write_export(second, export)
        assert on_disk(first) == on_disk(second)


def on_disk(root):
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def rows(tables, schema, name):
    return tables[schema, name].rows if (schema, name) in tables else []


def merged_users(tables):
    return len(rows(tables, S, "users")) > len(rows(tables, M, "users"))


def chain(tables):
    ends = [end for _, end in rows(tables, M, "identity_map")]
    return len(ends) > len(set(ends))


def duplicates_by_a_merge(tables):
    return len(rows(tables, S, "all_events")) > len(rows(tables, M, "all_events"))


def colliding_tables(tables):
    return {"Signup", "signup_2", "signup_3"} & {name for _, name in tables} and rows(tables, M, "all_events")


def colliding_columns(tables):
    return any("price_3" in table.columns for table in tables.values())


def computed(tables):
    return any(name == "status" and table.rows for (_, _), table in tables.items() for name in table.columns)


def emptied(tables):
    return (S, "users") in tables and not rows(tables, S, "users")


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the export that is looked at
@pytest.mark.parametrize(
    "interesting",
    [merged_users, chain, duplicates_by_a_merge, colliding_tables, colliding_columns, computed, emptied],
)
def test_interesting_exports_are_drawn(interesting):
    often = settings(max_examples=2000, deadline=None, phases=[Phase.generate], database=None)

    find(exports(), lambda export: bool(interesting(settled(export))), settings=often)


def test_faults_make_dumps_fail():
    often = settings(max_examples=200, deadline=None, phases=[Phase.generate], database=None)

    def fails(fault):
        with folder() as root:
            write_export(root, fault.broken)
            try:
                published_tables(root)
            except ExportBroken:
                return True
        return False

    find(faults(), fails, settings=often)
