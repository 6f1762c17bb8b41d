"""The command line: exit codes, what goes where, and that output in a file is plain lines.

Here: main() in this process, and once as a real command. Not here: what a sync does (pipeline/), bars on a terminal.
"""

import subprocess
import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path

import click
import duckdb
import pytest

from heap_assets.cli import commands as cli
from heap_assets.cli.commands import main
from heap_assets.errors import LakeError
from heap_assets.pipeline.sync import Sync
from heap_assets_tests.exports.description import Dump, File
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump

TIME = "2024-03-11T09:00:00Z"


def signups(*event_ids: int, **more: object) -> File:
    return data_file("event_id:long user_id:long time", *((number, 1, TIME) for number in event_ids), **more)


@dataclass
class Shell:
    """A folder to run commands in, with an export."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def deliver(self, *dumps: Dump) -> None:
        for one in dumps:
            write_dump(self.folder / "export", one)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command and return its exit code, output and errors."""
        self.patch.setattr(sys, "argv", ["heap-assets", *arguments])
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        said = self.capture.readouterr()
        return code, said.out, said.err

    def events(self) -> list[int]:
        with duckdb.connect(self.folder / "home" / "heap.duckdb", read_only=True) as connection:
            rows = connection.execute("SELECT event_id FROM main_production.all_events ORDER BY ALL").fetchall()
        return [event for (event,) in rows]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    for name in ("DAGSTER_HOME", "HEAP_CONFIG", "HEAP_LAKE_URI", "HEAP_DUCKDB_PATH", "HEAP_FACTS_AS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "export").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEAP_EXPORT_URI", "export")
    monkeypatch.setenv("HEAP_HOME", "home")
    return Shell(tmp_path, capsys, monkeypatch)


def test_a_sync_publishes_says_what_and_shows_the_way_on(shell):
    shell.deliver(dump(1, {"signup": signups(1, 2)}))
    code, out, err = shell.run("sync")
    assert (code, err) == (0, "")
    assert "1 dumps to land, 1 files" in out
    assert "main_production_migrated.signup" in out
    assert f"next: duckdb -readonly {shell.folder}/home/heap.duckdb" in out
    assert shell.events() == [1, 2]
    code, out, _ = shell.run("sync")
    assert code == 0
    assert "0 dumps to land, 0 files" in out


def test_output_that_is_no_terminal_is_plain_lines_with_every_name_as_it_is(shell):
    names = ["x" * 100, "[red]odd[/x]", ":smile:"]
    shell.deliver(dump(1, {name: signups(1) for name in names}))
    for command in ("sync", "status"):
        code, out, err = shell.run(command)
        assert (code, err) == (0, "")
        assert not {"\x1b", "\r"} & set(out)
        assert [name for name in names if name in out] == names


def test_a_broken_dump_ends_in_1_and_is_told_on_stderr_while_the_others_are_published(shell):
    shell.deliver(dump(1, {"signup": signups(1)}), dump(2, {"signup": signups(2, state="truncated")}))
    code, out, err = shell.run("sync")
    assert code == 1
    assert err.startswith("error: Dump 2, table signup: file s3://heap-rs3-acme/sync_2/signup/0.avro is cut short")
    assert err.count("\n") == 1
    assert "main_production.signup" in out
    assert shell.events() == [1]
    code, out, _ = shell.run("status")
    assert code == 0
    assert "failed     Dump 2, table signup: " in out


def test_reland_reads_a_landed_dump_again(shell):
    shell.deliver(dump(1, {"signup": signups(1)}), dump(2, {"signup": signups(2)}))
    shell.run("sync")
    shell.deliver(dump(1, {"signup": signups(7)}), dump(2, {"signup": signups(8)}))
    assert shell.run("sync")[0] == 0
    assert shell.events() == [1, 2]
    code, out, _ = shell.run("sync", "--reland", "1", "--reland", "2")
    assert code == 0
    assert "2 dumps to land, 2 files" in out
    assert shell.events() == [7, 8]


def test_rebuild_computes_anew_what_was_lost(shell):
    shell.deliver(dump(1, {"signup": signups(1), "users": data_file("user_id:long", (1,))}))
    shell.run("sync")
    for file in (shell.folder / "home" / "lake" / "resolved").iterdir():
        file.write_bytes(b"lost")
    code, _, err = shell.run("sync", "--rebuild")
    assert (code, err) == (0, "")
    assert shell.events() == [1]


@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(file.read_bytes()[:-9])])
def test_a_sync_lands_again_what_the_lake_has_lost_and_says_so(shell, harm):
    names = data_file("table_name ui_name", ("signup", "Sign up"))
    shell.deliver(*(dump(number, {"signup": signups(number), "_event_metadata": names}) for number in (1, 2)))
    shell.run("sync")
    raw = shell.folder / "home" / "lake" / "raw"
    for lost in ("signup/_delta_log/*1.json", "_event_metadata/2-*/*.parquet"):
        (file,) = raw.glob(lost)
        harm(file)
    code, out, err = shell.run("sync")
    assert (code, err) == (0, "")
    assert "dump 2, table signup: its commit is gone from" in out
    assert "is gone or not whole; it is landed again" in out
    assert shell.events() == [1, 2]


def test_status_tells_what_is_landed_pending_and_broken_and_lands_nothing(shell):
    shell.deliver(*(dump(number, {"signup": signups(number)}) for number in range(1, 11)))
    code, out, _ = shell.run("status")
    assert code == 0
    assert "landed     no dumps" in out
    assert "pending    10 dumps: 2 and 3, 4, 5, 6, 7, 8, 9, 10" in out
    shell.run("sync")
    shell.deliver(dump(11, {"signup": signups(11)}), dump(12, {}, manifest="garbage"))
    code, out, _ = shell.run("status")
    assert code == 0
    assert "landed     10 dumps: 2 and 3, 4, 5, 6, 7, 8, 9, 10" in out
    assert "pending    1 dumps: 11" in out
    assert "broken     manifests/sync_12.json: not JSON" in out
    cells = out.splitlines()[-1].split()
    assert (cells[:3], cells[-3:]) == (["signup", "2024-03-11", "09:00"], ["2024-03-20", "09:30", "1"])
    assert not (shell.folder / "home" / "lake" / "raw" / "signup" / "11").exists()


def test_a_check_tells_dumps_and_unknown_events_and_runs_nothing(shell):
    shell.deliver(dump(1, {"signup": signups(1)}))
    (shell.folder / "heap.yaml").write_text("conversion_events: [sign_up, paid, SignUp, signup]\n")
    shell.patch.setenv("HEAP_CONFIG", "heap.yaml")
    code, out, err = shell.run("check")
    assert (code, err) == (0, "")
    assert "1 dumps, 1 of them not landed yet" in out
    assert [line for line in out.splitlines() if line.startswith("warning")] == [
        "warning: conversion_events: there is no event sign_up; it counts as never done. Did you mean signup?",
        "warning: conversion_events: there is no event paid; it counts as never done.",
    ]
    assert not (shell.folder / "home").exists()


def test_a_check_of_a_broken_manifest_ends_in_1_and_of_a_wrong_configuration_in_2(shell):
    shell.deliver(dump(1, {}, manifest="garbage"))
    code, _, err = shell.run("check")
    assert code == 1
    assert err.startswith("error: manifests/sync_1.json: not JSON")
    (shell.folder / "heap.yaml").write_text("funnels: [{name: f}]\n")
    shell.patch.setenv("HEAP_CONFIG", "heap.yaml")
    code, out, err = shell.run("check")
    assert (code, out) == (2, "")
    assert "funnels[0].steps" in err


def test_a_sync_tells_events_of_the_configuration_that_nobody_knows_and_shows_the_analytics(shell):
    shell.deliver(dump(1, {"signup": signups(1)}))
    (shell.folder / "heap.yaml").write_text("funnels: [{name: f, steps: [signup, pay]}]\n")
    shell.patch.setenv("HEAP_CONFIG", "heap.yaml")
    code, out, err = shell.run("sync")
    assert (code, err) == (0, "")
    assert out.count("funnel f, step 2: there is no event pay; it counts as never done.") == 1
    assert [line.split()[-1] for line in out.splitlines() if "heap_analytics.funnel_steps" in line] == ["2"]


def test_a_sample_is_written_and_the_same_arguments_write_the_same_bytes(shell):
    for folder in ("one", "two"):
        code, out, err = shell.run("sample", "--out", folder, "--users", "5", "--days", "2", "--seed", "3")
        assert (code, err) == (0, "")
        assert f"next: HEAP_EXPORT_URI={folder} HEAP_HOME=.heap-{folder} uv run heap-assets sync" in out
    files = sorted(path.relative_to(shell.folder / "one") for path in (shell.folder / "one").rglob("*.*"))
    assert files
    for file in files:
        assert (shell.folder / "one" / file).read_bytes() == (shell.folder / "two" / file).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample"], "Missing option '--out'"),
        (["sample", "--out", "x", "--end", "tomorrow"], "tomorrow is not a day; write YYYY-MM-DD"),
        (["sample", "--out", "x", "--users", "0"], "'--users'"),
        (["sync", "--reland", "x"], "'x' is not a valid integer"),
        (["sink"], "No such command 'sink'"),
        (["status", "--verbose"], "No such option"),
    ],
)
def test_wrong_usage_ends_in_2_and_says_why_on_stderr(shell, arguments, said):
    code, out, err = shell.run(*arguments)
    assert (code, out) == (2, "")
    assert said in err


@pytest.mark.parametrize("command", ["sync", "status", "check"])
def test_a_wrong_setting_ends_in_2_with_one_line_on_stderr(shell, command):
    shell.patch.setenv("HEAP_FACTS_AS", "both")
    code, out, err = shell.run(command)
    assert (code, out) == (2, "")
    assert err == "error: HEAP_FACTS_AS is both; it must be views or tables.\n"


def test_a_wrong_configuration_ends_in_2_before_anything_is_landed(shell):
    shell.deliver(dump(1, {"signup": signups(1)}))
    (shell.folder / "heap.yaml").write_text("projct: x\n")
    shell.patch.setenv("HEAP_CONFIG", "heap.yaml")
    code, _, err = shell.run("sync")
    assert code == 2
    assert "projct" in err
    assert not (shell.folder / "home" / "lake").exists()


@pytest.mark.parametrize("command", ["sync", "status"])
def test_a_lake_that_cannot_be_read_ends_in_1_with_one_line_on_stderr(shell, command):
    (shell.folder / "home" / "lake").mkdir(parents=True)
    (shell.folder / "home" / "lake" / "ledger.json").write_text("{")
    code, _, err = shell.run(command)
    assert code == 1
    assert err.startswith("error: ")
    assert "ledger.json cannot be read" in err
    assert err.count("\n") == 1


def test_what_stops_a_run_on_its_way_is_one_line_if_a_person_can_act_on_it(shell, monkeypatch):
    shell.deliver(dump(1, {"signup": signups(1)}))

    def in_use(*_: object, **__: object) -> None:
        raise LakeError("another sync is at work")

    monkeypatch.setattr(Sync, "resolve", in_use)
    assert shell.run("sync")[::2] == (1, "error: another sync is at work\n")


def test_a_bug_that_stops_a_run_is_told_with_its_trace(shell, monkeypatch):
    shell.deliver(dump(1, {"signup": signups(1)}))

    def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(Sync, "resolve", broken)
    code, _, err = shell.run("sync")
    assert code == 1
    assert "KeyError: 'a bug'" in err
    assert "in broken" in err


def test_an_interrupt_ends_in_130_and_says_what_stays(shell):
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    shell.patch.setattr(cli, "commands", interrupted)
    code, _, err = shell.run()
    assert code == 130
    assert "what was landed stays" in err


def test_the_report_is_opened_in_the_browser_of_the_environment(shell):
    code, _, err = shell.run("report")
    assert (code, err) == (
        1,
        f"error: there is no report at {shell.folder}/home/report.html; make it with: heap-assets sync\n",
    )
    shell.deliver(dump(1, {"signup": signups(1)}))
    assert shell.run("sync")[0] == 0
    opened = shell.folder / "opened"
    browser = shell.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    shell.patch.setattr(webbrowser, "_tryorder", [])
    shell.patch.setattr(webbrowser, "_browsers", {})
    webbrowser.register("ours", None, webbrowser.GenericBrowser([str(browser), "%s"]))
    code, out, err = shell.run("report")
    assert (code, out, err) == (0, f"{shell.folder}/home/report.html\n", "")
    assert opened.read_text() == f"file://{shell.folder}/home/report.html\n"
    opened.unlink()
    assert shell.run("report", "--print")[0] == 0
    assert not opened.exists()


def test_the_installed_command_shows_its_help():
    command = Path(sys.executable).with_name("heap-assets")
    shown = subprocess.run([command, "-h"], capture_output=True, text=True, timeout=60, check=True)
    assert "sync" in shown.stdout
    assert "status" in shown.stdout
