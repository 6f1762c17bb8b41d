"""Dumps that cannot be taken: what is said of them, what is published meanwhile, and how they are mended.

Here: one fault at a time, in words. Not here: drawn faults (test_any_cut.py), damaged headers
(sources/heap/avro/test_survey.py).
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest

from heap_assets.errors import LakeError
from heap_assets.pipeline.landing.landing import Landing
from heap_assets.pipeline.sync import Sync
from heap_assets_tests.exports.avro_bytes import block, header, number, record, sized
from heap_assets_tests.exports.description import Dump, File
from heap_assets_tests.exports.pools import SECOND
from heap_assets_tests.exports.shorthand import data_file, dump, full
from heap_assets_tests.exports.writer import file_bytes, write_dump, write_manifest
from heap_assets_tests.published import run, sync_of

TIME = "2024-06-01T12:00:00Z"
IN_THE_WAY = "Nothing of this dump is published, and later dumps wait."
TO_DO = "Put it right, or have Heap resync the table, and sync again."


def signups(*event_ids: int, name: str = "0.avro", **more: object) -> File:
    return data_file("event_id:long user_id:long time", *((number, 1, TIME) for number in event_ids), name=name, **more)


@dataclass
class Export:
    """An export in a folder, and its sync."""

    root: Path
    sync: Sync

    def deliver(self, *dumps: Dump) -> None:
        for one in dumps:
            write_dump(self.root, one)

    def run(self) -> Landing:
        return run(self.sync)

    def error(self) -> str:
        """Run, and return what is said of the one dump that fails."""
        (failure,) = self.run().failures
        return failure.reason

    def ask(self, query: str) -> list[tuple]:
        with duckdb.connect(self.sync.settings.duckdb_path, read_only=True) as connection:
            return connection.execute(query.replace("S.", "main_production.")).fetchall()

    def events(self, table: str = "signup") -> list[int]:
        return [event for (event,) in self.ask(f"SELECT event_id FROM S.{table} ORDER BY ALL")]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    root = tmp_path / "export"
    root.mkdir()
    return Export(root, sync_of(root, tmp_path / "home"))


def test_a_missing_file_is_named_with_dump_and_table_and_what_to_do(export):
    export.deliver(dump(1, {"signup": (signups(1), signups(2, name="gone.avro", state="missing"))}))
    assert export.error() == (
        f"Dump 1, table signup: {export.root}/sync_1/signup/gone.avro does not exist. {IN_THE_WAY} {TO_DO}"
    )


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("truncated", "is cut short"),
        ("garbage", "does not begin like an Avro file"),
        ("empty", "is empty (0 bytes)"),
    ],
)
def test_a_broken_file_is_named_as_the_manifest_names_it(export, state, said):
    export.deliver(dump(7, {"signup": (signups(1), signups(2, name="b.avro", state=state))}))
    message = export.error()
    assert message.startswith(f"Dump 7, table signup: file s3://heap-rs3-acme/sync_7/signup/b.avro {said}")
    assert message.endswith(f". {IN_THE_WAY} {TO_DO}")


@pytest.mark.parametrize("column", ["time", "user_id", "event_id"])
def test_a_file_that_lacks_a_required_column_is_named_with_the_column(export, column):
    names = [f"{name}:long" for name in ("event_id", "user_id", "time") if name != column]
    export.deliver(dump(1, {"signup": data_file(" ".join(names), (1, 1))}))
    said = f"table signup: file s3://heap-rs3-acme/sync_1/signup/0.avro lacks the column '{column}'"
    assert said in export.error()


def test_a_file_without_rows_may_lack_any_column(export):
    export.deliver(dump(1, {"signup": (data_file("plan"), signups(1, name="1.avro"))}))
    assert export.run().failures == ()
    assert export.events() == [1]


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2"])
def test_rows_that_are_damaged_within_a_whole_file_fail_the_dump_by_name(export, codec):
    whole = signups(*range(50), name="b.avro", codec=codec)
    export.deliver(dump(1, {"signup": (signups(99), whole)}))
    path = export.root / "sync_1" / "signup" / "b.avro"
    content = bytearray(file_bytes(whole))
    start = content.index(b"heap-sync-marker") + 16
    content[start + 4 : start + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(content)
    message = export.error()
    assert "table signup: file s3://heap-rs3-acme/sync_1/signup/b.avro is damaged: " in message


def test_rows_that_are_fewer_than_declared_fail_the_dump(export):
    export.deliver(dump(1, {"signup": signups(1)}))
    path = export.root / "sync_1" / "signup" / "0.avro"
    header = path.read_bytes().partition(b"heap-sync-marker")[0]
    path.write_bytes(header + b"heap-sync-marker" + b"\x06\x00" + b"heap-sync-marker")
    assert "0.avro is damaged: the block at byte 249, which declares 3 rows, has 0 bytes, too few" in export.error()


def test_every_broken_table_of_a_dump_is_told_at_once(export):
    broken = signups(1, state="garbage")
    export.deliver(dump(1, {"signup": broken, "login": signups(2), "order": broken}))
    message = export.error()
    assert "table signup: " in message
    assert "; table order: " in message
    assert "login" not in message


def test_many_groups_of_files_before_a_broken_one_do_not_stop_the_run(export):
    def files(table: str) -> tuple[File, ...]:
        odd = [
            data_file(f"event_id:long user_id:long time {table}_{n}", (n, 1, TIME, "x"), name=f"{n}") for n in range(12)
        ]
        return (*odd, signups(99, name="z", state="garbage"))

    export.deliver(dump(1, {table: files(table) for table in ("a", "b", "c", "d")}))
    assert export.error().count("does not begin like an Avro file") == 4


@pytest.mark.parametrize("path", ["s3://b/sync_1/../../secret.avro", "s3://b/elsewhere/0.avro", ""])
def test_a_path_that_leads_out_of_the_export_is_named(export, path):
    export.deliver(dump(1, {"signup": signups(1)}))
    manifest = export.root / "manifests" / "sync_1.json"
    content = json.loads(manifest.read_text())
    content["tables"][0]["files"] = [path]
    manifest.write_text(json.dumps(content))
    message = export.error()
    assert message.startswith("Dump 1, manifests/sync_1.json: ")
    assert path.removeprefix("s3://b/") in message


def test_a_manifest_that_is_none_is_named(export):
    export.deliver(dump(1, {"signup": signups(1)}), dump(2, {"signup": signups(2)}, manifest="garbage"))
    landing = export.run()
    assert landing.taken == (1,)
    (failure,) = landing.failures
    assert (failure.dump_id, failure.reason.partition(" (")[0]) == (2, "manifests/sync_2.json: not JSON")


def test_a_manifest_without_even_a_number_holds_nothing_back(export):
    export.deliver(
        dump(1, {"signup": signups(1)}), dump(2, {}, manifest="garbage", manifest_name="today.json"), dump(3, {})
    )
    landing = export.run()
    assert landing.taken == (1, 3)
    assert [failure.dump_id for failure in landing.failures] == [None]


def test_earlier_dumps_are_published_and_later_ones_wait(export):
    broken = signups(2, state="truncated")
    export.deliver(dump(1, {"signup": signups(1)}), dump(2, {"signup": broken}), dump(3, {"signup": signups(3)}))
    landing = export.run()
    assert (landing.taken, landing.waiting) == ((1,), (2, 3))
    assert export.events() == [1]
    assert export.ask("SELECT dump_id FROM S._sync_history") == [(1,)]


def test_nothing_of_a_broken_dump_is_published_whole_tables_neither(export):
    export.deliver(dump(1, {"login": signups(5), "signup": signups(2, state="missing")}))
    export.run()
    assert export.ask("SELECT count(*) FROM S.all_events") == [(0,)]
    assert export.ask("SELECT * FROM duckdb_views() WHERE view_name IN ('login', 'signup')") == []


def test_a_mended_file_is_taken_by_the_next_run_with_all_that_waited(export):
    broken = dump(2, {"signup": signups(2, state="truncated")})
    export.deliver(dump(1, {"signup": signups(1)}), broken, dump(3, {"signup": signups(3)}))
    export.run()
    export.deliver(dump(2, {"signup": signups(2)}))
    landing = export.run()
    assert (landing.taken, landing.waiting, landing.failures) == ((2, 3), (), ())
    assert export.events() == [1, 2, 3]


def test_a_mended_manifest_is_taken_by_the_next_run(export):
    two = dump(2, {"signup": signups(2)})
    export.deliver(dump(1, {"signup": signups(1)}), replace(two, manifest="garbage"))
    assert export.run().failures
    write_manifest(export.root, replace(two, modified=two.modified + SECOND))
    assert export.run().failures == ()
    assert export.events() == [1, 2]


def test_a_broken_file_is_no_error_any_more_once_a_later_full_resync_voids_it(export):
    export.deliver(dump(1, {"signup": signups(1, state="missing")}))
    assert export.run().failures
    export.deliver(dump(2, {"signup": full("signup", signups(2))}))
    landing = export.run()
    assert (landing.taken, landing.failures) == ((1, 2), ())
    assert export.events() == [2]


def test_a_resync_that_is_broken_itself_voids_nothing(export):
    export.deliver(
        dump(1, {"signup": signups(1, state="missing")}),
        dump(2, {"signup": full("signup", signups(2, state="garbage"))}),
    )
    landing = export.run()
    assert landing.taken == ()
    assert {failure.dump_id for failure in landing.failures} == {1, 2}


def test_a_landed_file_may_vanish_from_the_bucket(export):
    export.deliver(dump(1, {"signup": signups(1)}))
    export.run()
    (export.root / "sync_1" / "signup" / "0.avro").unlink()
    export.deliver(dump(2, {"signup": signups(2)}))
    assert export.run().failures == ()
    assert export.events() == [1, 2]


def test_landing_a_dump_again_whose_file_is_gone_keeps_what_had_landed(export):
    export.deliver(dump(1, {"signup": signups(1)}))
    export.run()
    (export.root / "sync_1" / "signup" / "0.avro").unlink()
    landing = export.sync.land(reland=[1])
    assert "0.avro does not exist" in landing.failures[0].reason
    export.sync.resolve()
    export.sync.publish()
    assert export.events() == [1]


@pytest.mark.parametrize("definitions", ["", "no json", "{}", "[" * 10_000])
def test_property_definitions_that_cannot_be_read_are_no_failure(export, definitions):
    export.deliver(dump(1, {"signup": signups(1)}, definitions=definitions))
    assert export.run().failures == ()
    assert export.events() == [1]


def test_rows_without_an_id_are_in_quarantine_with_their_file_row_and_reason(export):
    first = data_file("event_id:long user_id:long time", (1, 1, TIME), (2, 2, TIME), (3, None, TIME))
    second = data_file("event_id:long user_id:string time", (4, "x", TIME), (5, "5", TIME), (None, "6", "0"), name="1")
    export.deliver(dump(1, {"signup": (first, second)}))
    assert export.run().failures == ()
    prefix = "s3://heap-rs3-acme/sync_1/signup"
    found = export.ask("SELECT table_name, dump_id, file, row_number, reason FROM S._quarantine ORDER BY ALL")
    assert found == [
        ("signup", 1, f"{prefix}/0.avro", 3, "user_id is missing"),
        ("signup", 1, f"{prefix}/1", 1, "user_id is x, which is no whole number"),
        ("signup", 1, f"{prefix}/1", 3, "event_id is missing"),
    ]
    assert export.events() == [1, 2, 5]
    ((row,),) = export.ask("SELECT row FROM S._quarantine WHERE row_number = 1")
    assert json.loads(row)["event_id"] == 4
    assert json.loads(row)["user_id"] == "x"


def test_a_row_leaves_the_quarantine_when_its_delivery_is_voided(export):
    export.deliver(dump(1, {"signup": data_file("event_id:long user_id:long time", (1, None, TIME))}))
    export.run()
    export.deliver(dump(2, {"signup": full("signup", signups(2))}))
    export.run()
    assert export.ask("SELECT * FROM S._quarantine") == []


def test_a_ledger_that_cannot_be_read_says_where_it_is_and_what_to_do(export):
    export.deliver(dump(1, {"signup": signups(1)}))
    export.run()
    ledger = Path(export.sync.storage.address("ledger.json"))
    for name in ("ledger.json", "ledger.previous.json"):
        ledger.with_name(name).write_text("{")
    with pytest.raises(LakeError) as broken:
        export.run()
    assert str(broken.value).startswith(f"{ledger} cannot be read (")
    assert str(broken.value).endswith("Restore it from a backup, or run: heap-assets sync --recover")


EVENT = record(("event_id", "long"), ("user_id", "long"), ("time", "string"))
ROW = number(7) + number(1) + sized(TIME)
FREE = {"type": "enum", "name": "com.acme.Plan", "symbols": ["free-trial", "N/A"]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (block(1, ROW + ROW), "is damaged: the block at byte 206, which declares 1 row, has 23 bytes more"),
        (block(1, ROW + b"\0"), "has 1 bytes more than they take"),
        (
            block(0, b"\0\0"),
            "is damaged: the block at byte 206, which declares 0 rows, has 2 bytes more than they take",
        ),
        (block(2**40, ROW), "declares 1,099,511,627,776 rows in 252 bytes, the most is 10,000,000"),
    ],
)
def test_bytes_that_no_row_has_fail_the_dump_by_name_until_they_are_mended(export, content, said):
    export.deliver(dump(1, {"signup": signups(1), "login": signups(3)}), dump(2, {"signup": signups(2)}))
    path = export.root / "sync_2" / "signup" / "0.avro"
    path.write_bytes(header(EVENT) + content)
    message = export.error()
    assert message.startswith("Dump 2, table signup: file s3://heap-rs3-acme/sync_2/signup/0.avro ")
    assert said in message
    assert (export.events(), export.events("login")) == ([1], [3])
    path.write_bytes(header(EVENT) + block(1, ROW))
    assert export.run().failures == ()
    assert export.events() == [1, 7]


def test_files_as_other_writers_declare_them_are_read(export):
    export.deliver(dump(1, {"signup": signups(1)}))
    schema = record(
        *((field["name"], field["type"]) for field in EVENT["fields"]), ("plan", FREE), ("was", "com.acme.Plan")
    )
    (export.root / "sync_1" / "signup" / "0.avro").write_bytes(header(schema) + block(1, ROW + b"\0\2"))
    assert export.run().failures == ()
    assert export.ask("SELECT event_id, plan, was FROM S.signup") == [(7, "free-trial", "N/A")]
