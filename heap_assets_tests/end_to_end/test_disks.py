"""A sync where disks refuse: full, read-only, not ours; a terminal that cannot show a name; files of a private user.

Real file systems in memory, mounted for the test (as root; HEAP_TEST_MOUNTS=required fails where that is impossible).
Here: what the command line says and leaves. Not here: settings that cannot be parsed (test_settings.py), S3.
"""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from heap_assets.errors import HeapAssetsError
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, sync_of
from heap_assets_tests.working_copy import clean_environment

COMMAND = Path(sys.executable).with_name("heap-assets")
TIME = "2024-03-11T09:00:00Z"
ODD = "注文 é\x1b[31m\t\n\u202e"


@dataclass(frozen=True)
class Disk:
    """A file system of its own."""

    folder: Path

    def resize(self, kilobytes: int) -> None:
        self._remount(f"rw,size={kilobytes}k")

    def set_read_only(self) -> None:
        self._remount("ro")

    def _remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        (pytest.fail if os.environ.get("HEAP_TEST_MOUNTS") == "required" else pytest.skip)(mounted.stderr)
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def one_export(root: Path, events: int = 200) -> Path:
    """Write an export whose lake takes about a megabyte."""
    rows = [(number, number % 7, TIME, f"{number * 7919:x}" * 40) for number in range(events)]
    tables = {
        "signup": data_file("event_id:long user_id:long time page", *rows),
        "users": data_file("user_id:long last_modified", *((user, TIME) for user in range(3))),
        "user_migrations": data_file("from_user_id:long to_user_id:long time", (1, 2, TIME)),
    }
    write_dump(root, dump(1, tables))
    write_dump(root, dump(2, {"signup": data_file("event_id:long user_id:long time page", *rows[:50])}))
    return root


def heap_assets(*arguments: str, folder: Path, umask: int = 0o022, **environment: str) -> tuple[int, str, str]:
    """Run the command as a process of its own and return its exit code, output and errors."""
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=clean_environment(**environment),
        capture_output=True,
        timeout=120,
        umask=umask,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


@pytest.mark.parametrize("step", range(3))
def test_a_disk_that_is_full_at_any_point_is_told_in_one_line_and_with_room_the_next_sync_goes_on(disk, tmp_path, step):
    root = one_export(tmp_path / "export")
    home = disk.folder / "home"
    sync = sync_of(root, home)
    disk.resize(120 + 380 * step)
    try:
        told = [failure.reason for failure in run(sync).failures]
    except HeapAssetsError as error:
        told = [str(error)]
    for message in told:
        assert "\n" not in message
        assert "No space left on device" in message
        assert str(disk.folder) in message
        assert "make room" in message
    assert told or step > 0
    disk.resize(64_000)
    assert run(sync_of(root, home)).failures == ()
    assert differences(published_tables(root), published_by(sync)) == []


@pytest.mark.parametrize("kilobytes", [700])
def test_the_command_line_names_a_full_disk_and_the_way_on_without_a_trace(disk, tmp_path, kilobytes):
    root = one_export(tmp_path / "export")
    disk.resize(kilobytes)
    place = {"HEAP_EXPORT_URI": str(root), "HEAP_HOME": str(disk.folder / "home")}
    code, _, err = heap_assets("sync", folder=tmp_path, **place)
    assert code == 1
    assert "Traceback" not in err
    assert "No space left on device; make room there" in err
    disk.resize(64_000)
    assert heap_assets("sync", folder=tmp_path, **place)[::2] == (0, "")


@pytest.mark.parametrize("refusing", ["HEAP_HOME", "DAGSTER_HOME"])
def test_a_read_only_folder_is_named_with_the_remedy(disk, tmp_path, refusing):
    root = one_export(tmp_path / "export", events=5)
    (disk.folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    disk.set_read_only()
    place = disk.folder if refusing == "DAGSTER_HOME" else disk.folder / "in" / "it"
    variables = {"HEAP_EXPORT_URI": str(root), "HEAP_HOME": str(tmp_path / "home"), refusing: str(place)}
    code, _, err = heap_assets("sync", folder=tmp_path, **variables)
    assert code == 1
    assert "Traceback" not in err
    assert err.startswith(f"error: {disk.folder}")
    assert "the right to write" in err or "must be writable" in err or "check the rights" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["ascii"])
def test_a_name_that_the_terminal_cannot_show_never_ends_a_command(tmp_path, encoding):
    root = tmp_path / "export"
    write_dump(root, dump(1, {ODD: data_file("event_id:long user_id:long time", (1, 1, TIME))}))
    write_dump(root, dump(2, {ODD: data_file("event_id:long user_id:long time", (1, 1, TIME), state="garbage")}))
    place = {"HEAP_EXPORT_URI": str(root), "HEAP_HOME": str(tmp_path / "home"), "PYTHONIOENCODING": encoding}
    for command, code in (("sync", 1), ("status", 0)):
        done = subprocess.run(
            [COMMAND, command],
            cwd=tmp_path,
            env=clean_environment(**place),
            capture_output=True,
            timeout=120,
            check=False,
        )
        printed = (done.stdout + done.stderr).decode(
            "utf-8" if encoding == "ascii" else encoding
        )  # click takes ASCII for an unset locale
        assert done.returncode == code, printed
        assert not {"\x1b", "\u202e", "\t"} & set(printed)
        assert "Traceback" not in printed
        if command == "sync":
            assert "\\x1b[31m\\t\\n\\u202e" in printed


@pytest.mark.parametrize(("umask", "forbidden"), [(0o077, 0o077)])
def test_every_file_is_as_private_as_the_umask_says(tmp_path, umask, forbidden):
    root = one_export(tmp_path / "export", events=5)
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    before = {*tmp_path.rglob("*")}
    place = {"HEAP_EXPORT_URI": str(root), "HEAP_HOME": "home", "DAGSTER_HOME": str(tmp_path / "dagster")}
    assert heap_assets("sync", folder=tmp_path, umask=umask, **place)[0] == 0
    made = {*tmp_path.rglob("*")} - before
    assert {"report.html", "heap.duckdb", "ledger.json"} <= {path.name for path in made}
    open_to_others = {path: oct(path.stat().st_mode) for path in made if path.stat().st_mode & forbidden}
    assert open_to_others == {}
    report = stat.S_IMODE((tmp_path / "home" / "report.html").stat().st_mode)
    assert report == 0o666 & ~umask
