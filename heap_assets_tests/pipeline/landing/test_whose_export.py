"""One lake holds one export: another one is refused by name, a moved one accepted when it is said, none is an error.

Here: Sync and the command line. Not here: addresses (test_settings.py), the ledger's document (test_ledger.py).
"""

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from heap_assets.errors import SettingsError, SourceError
from heap_assets_tests.cli.test_commands import Shell, shell, signups
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.oracles.comparison import differences
from heap_assets_tests.oracles.tables import published_tables
from heap_assets_tests.published import published_by, run, sync_of

__all__ = ["shell"]


def one_export(root: Path, *ids: int) -> Path:
    write_dump(root, dump(1, {"signup": data_file("event_id:long user_id:long time", *((n, 1, None) for n in ids))}))
    return root


def test_another_export_is_refused_by_both_names_and_nothing_of_it_lands(tmp_path):
    first, second = one_export(tmp_path / "first", 1), one_export(tmp_path / "second", 2)
    home = tmp_path / "home"
    run(sync_of(first, home))
    before = published_by(sync_of(first, home))
    other = sync_of(second, home)
    for step in (other.land, other.discover, other.pending, other.check):
        with pytest.raises(SettingsError) as refused:
            step()
        for named in (str(first), str(second), str(home / "lake"), "--export-moved"):
            assert named in str(refused.value)
    assert differences(before, published_by(sync_of(first, home))) == []
    assert run(sync_of(first, home)).failures == ()


def test_an_export_that_has_moved_is_said_and_then_goes_on(tmp_path):
    first, home = one_export(tmp_path / "first", 1), tmp_path / "home"
    run(sync_of(first, home))
    moved = first.rename(tmp_path / "moved")
    sync = sync_of(moved, home)
    with pytest.raises(SettingsError):
        sync.land()
    sync.accept_moved_export()
    assert run(sync).taken == ()
    write_dump(moved, dump(2, {"signup": data_file("event_id:long user_id:long time", (2, 1, None))}))
    assert run(sync_of(moved, home)).taken == (2,)
    assert differences(published_tables(moved), published_by(sync)) == []


def test_the_same_folder_by_another_path_is_the_same_export(tmp_path):
    first, home = one_export(tmp_path / "first", 1), tmp_path / "home"
    run(sync_of(first, home))
    (tmp_path / "link").symlink_to(first)
    for path in (tmp_path / "link", f"{first}/", f"file://{first}", first / ".." / "first"):
        assert run(sync_of(path, home)).failures == ()


def recorded_none(home: Path) -> None:
    """Leave the ledger as an earlier version did, which did not record the export."""
    ledger = home / "lake" / "ledger.json"
    left = json.loads(ledger.read_text())
    del left["version"], left["export"]
    ledger.write_text(json.dumps(left))
    ledger.with_name("ledger.previous.json").unlink()


def test_a_lake_of_an_earlier_version_takes_the_export_whose_manifests_it_has_and_no_other(tmp_path):
    first, second, home = one_export(tmp_path / "first", 1), tmp_path / "second", tmp_path / "home"
    write_dump(second, dump(1, {"login": data_file("event_id:long user_id:long time", (2, 1, None))}))
    run(sync_of(first, home))
    recorded_none(home)
    with pytest.raises(SettingsError, match="holds dumps of an export that was not recorded"):
        sync_of(second, home).land()
    copied = tmp_path / "copied"  # the content tells, where times do not
    shutil.copytree(first, copied, copy_function=shutil.copyfile)
    assert run(sync_of(copied, home)).failures == ()
    with pytest.raises(SettingsError):
        sync_of(first, home).land()


def test_the_embedded_sample_never_lies_in_the_lake_of_a_bucket_nor_a_bucket_in_that_of_the_sample(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
):
    shell.deliver(dump(1, {"signup": signups(1)}))
    assert shell.run("sync")[0] == 0
    monkeypatch.delenv("HEAP_EXPORT_URI")
    code, out, err = shell.run("sync")
    assert (code, out) == (2, "")
    assert "HEAP_EXPORT_URI is not set, which stands for the embedded sample" in err
    assert f"holds {shell.folder}/export" in err
    assert not (shell.folder / "home" / "sample").exists()
    assert shell.events() == [1]

    monkeypatch.setenv("HEAP_HOME", "sample-home")
    sample = shell.folder / "sample-home" / "sample"
    one_export(sample, 7)
    assert shell.run("sync")[0] == 0
    monkeypatch.setenv("HEAP_EXPORT_URI", "export")
    code, out, err = shell.run("sync")
    assert (code, out) == (2, "")
    assert f"HEAP_EXPORT_URI is {shell.folder}/export, but the lake" in err
    assert "holds the embedded sample" in err
    monkeypatch.setenv("HEAP_EXPORT_URI", str(sample))
    assert shell.run("sync")[0] == 0


def test_a_moved_export_is_an_option_of_the_command_line(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    shell.deliver(dump(1, {"signup": signups(1)}))
    assert shell.run("sync")[0] == 0
    (shell.folder / "export").rename(shell.folder / "moved")
    monkeypatch.setenv("HEAP_EXPORT_URI", "moved")
    for command in ("sync", "status", "check"):
        code, _, err = shell.run(command)
        assert code == 2
        assert err.count("\n") == 1
    assert shell.run("sync", "--export-moved")[::2] == (0, "")
    assert shell.run("sync")[::2] == (0, "")


def test_an_export_without_a_manifest_is_an_error_a_red_check_and_no_file(shell: Shell, monkeypatch):
    dagster_home = shell.folder / "dagster"
    dagster_home.mkdir()
    (dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home))
    (shell.folder / "export" / "sync_7").mkdir()
    for command in ("sync", "status", "check"):
        code, _, err = shell.run(command)
        assert code == 1
        assert f"{shell.folder}/export has no manifest: there is no manifests/*.json" in err
        assert err.count("\n") == 1
    assert not (shell.folder / "home" / "heap.duckdb").exists()
    assert check_passed() is False
    shell.deliver(dump(1, {"signup": signups(1)}))
    assert shell.run("sync")[0] == 0
    assert check_passed() is True


def check_passed() -> bool:
    key = dg.AssetCheckKey(dg.AssetKey(["published", "duckdb_file"]), "export_can_be_listed")
    with dg.DagsterInstance.get() as instance:
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert record.evaluation
        return record.evaluation.passed


def test_a_bucket_that_is_cleaned_up_keeps_what_has_landed(tmp_path):
    first, home = one_export(tmp_path / "first", 1), tmp_path / "home"
    run(sync_of(first, home))
    before = published_by(sync_of(first, home))
    for manifest in (first / "manifests").iterdir():
        manifest.unlink()
    assert run(sync_of(first, home)).failures == ()
    assert differences(before, published_by(sync_of(first, home))) == []


def test_no_manifest_is_not_an_empty_export(tmp_path):
    (tmp_path / "export").mkdir()
    with pytest.raises(SourceError, match=r"no manifests/\*\.json"):
        sync_of(tmp_path / "export", tmp_path / "home").land()
