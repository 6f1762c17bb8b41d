"""Settings: what an environment gives, and one message for each variable that cannot be used.

Here: variables. Not here: the analytics configuration (config/), credentials (sources/test_s3_access.py).
"""

from datetime import timedelta
from pathlib import Path

import pytest

from heap_assets.addresses import S3Place, read_address
from heap_assets.errors import SettingsError
from heap_assets.places import is_s3
from heap_assets.settings import Settings, read_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every test begin in a folder with an export, a file and nothing else."""
    (tmp_path / "my export").mkdir()
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def settings(**variables: str) -> Settings:
    return read_settings(variables)


def test_without_any_variable_everything_is_below_a_folder_here(folder):
    found = settings()
    home = folder / ".heap"
    assert (found.home, found.lake_uri, found.duckdb_path) == (home, str(home / "lake"), home / "heap.duckdb")
    assert found.export_uri is None
    assert found.source_uri == str(found.sample_path) == str(home / "sample")
    assert (found.config_path, found.facts_as, found.limits.memory_gib) == (None, "views", 5)
    assert (found.aws.endpoint_url, found.aws.region, found.aws.role_arn, found.aws.external_id) == (None,) * 4
    assert not home.exists()


def test_an_empty_variable_counts_as_unset_and_blanks_around_a_value_do_not_count():
    assert settings(HEAP_EXPORT_URI=" ", HEAP_HOME="", HEAP_CONFIG="", HEAP_FACTS_AS=" ") == settings()
    assert settings(HEAP_FACTS_AS=" tables\n").facts_as == "tables"


def test_paths_may_be_relative_start_at_home_or_be_file_addresses(folder):
    assert settings(HEAP_EXPORT_URI="my export").source_uri == str(folder / "my export")
    assert settings(HEAP_EXPORT_URI="~/my export").source_uri == str(folder / "my export")
    assert settings(HEAP_EXPORT_URI=f"file://{folder}/my%20export").source_uri == str(folder / "my export")
    assert settings(HEAP_LAKE_URI="new/lake").lake_uri == str(folder / "new" / "lake")
    assert settings(HEAP_DUCKDB_PATH="~/out/heap.duckdb").duckdb_path == folder / "out" / "heap.duckdb"
    assert settings(HEAP_HOME="~/elsewhere").home == folder / "elsewhere"
    assert settings(HEAP_CONFIG="~/file").config_path == settings(HEAP_CONFIG="file").config_path == folder / "file"


def test_places_in_s3_stay_as_they_are():
    found = settings(HEAP_EXPORT_URI="s3://heap-rs3-acme/", HEAP_LAKE_URI="s3://lake/a b%c/")
    assert (found.source_uri, found.lake_uri) == ("s3://heap-rs3-acme", "s3://lake/a b%c")
    assert settings(HEAP_EXPORT_URI="s3://acme/a b%20c/").source_uri == "s3://acme/a b%20c"
    assert is_s3(found.lake_uri)
    assert not is_s3(settings().lake_uri)


def test_letters_that_mean_something_in_a_url_are_part_of_the_prefix():
    for prefix in ("a#b", "a?b=c", "100%", "a b+c", "a[b]*", "ü", "a%zz"):
        found = settings(HEAP_EXPORT_URI=f"s3://bucket/{prefix}", HEAP_LAKE_URI=f"s3://bucket/{prefix}")
        assert found.source_uri == found.lake_uri == f"s3://bucket/{prefix}"
        assert read_address(found.lake_uri) == S3Place("bucket", prefix)


def test_one_rule_reads_the_addresses_of_export_and_lake():
    for address in ("s3a://bucket/x", "s3://bucket/x/", "S3://bucket/x"):
        found = settings(HEAP_EXPORT_URI=address, HEAP_LAKE_URI=address)
        assert found.source_uri == found.lake_uri == "s3://bucket/x"


def test_credentials_in_an_address_are_never_shown():
    for variable, value in (
        ("HEAP_EXPORT_URI", "s3://key:secret-of-mine@bucket/x"),
        ("HEAP_LAKE_URI", "s3://key:secret-of-mine@bucket/x"),
        ("AWS_ENDPOINT_URL", "https://key:secret-of-mine@s3.example.com"),
        ("HEAP_UI_URL", "https://key:secret-of-mine@dagster.example.com"),
    ):
        with pytest.raises(SettingsError, match=variable) as raised:
            settings(**{variable: value})
        assert "secret-of-mine" not in str(raised.value)


def test_facts_are_tables_where_the_lake_is_in_s3():
    assert settings(HEAP_LAKE_URI="s3://lake").facts_as == "tables"
    assert settings(HEAP_LAKE_URI="s3://lake", HEAP_FACTS_AS="tables").facts_as == "tables"
    assert settings(HEAP_FACTS_AS="tables").facts_as == "tables"


def test_how_s3_is_reached_is_read_from_the_usual_variables_and_two_of_ours():
    aws = settings(
        AWS_ENDPOINT_URL="http://127.0.0.1:9000",
        AWS_DEFAULT_REGION="eu-west-1",
        HEAP_AWS_ROLE_ARN="arn:aws:iam::1:role/heap",
        HEAP_AWS_EXTERNAL_ID="x",
    ).aws
    assert (aws.endpoint_url, aws.region) == ("http://127.0.0.1:9000", "eu-west-1")
    assert (aws.role_arn, aws.external_id) == ("arn:aws:iam::1:role/heap", "x")
    assert settings(AWS_DEFAULT_REGION="a", AWS_REGION="b").aws.region == "b"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"HEAP_HOME": "file"}, "which is a file; it must be a folder"),
        ({"HEAP_EXPORT_URI": "nowhere"}, "there is no such folder"),
        ({"HEAP_EXPORT_URI": "file"}, "there is no such folder"),
        ({"HEAP_EXPORT_URI": "gs://bucket"}, "it must be a folder or s3://bucket/prefix"),
        ({"HEAP_EXPORT_URI": "s3://"}, "which names no bucket; it must be a folder or s3://bucket/prefix"),
        ({"HEAP_EXPORT_URI": "s3:///prefix"}, "names no bucket"),
        ({"HEAP_EXPORT_URI": "s3://[x/"}, "names no bucket"),
        ({"HEAP_EXPORT_URI": "~nobody-here/x"}, "begins with a home folder that is not known"),
        ({"HEAP_HOME": "~nobody-here"}, "begins with a home folder that is not known"),
        ({"HEAP_HOME": "x" * 300}, "File name too long; choose another"),
        ({"HEAP_LAKE_URI": "x" * 300}, "File name too long; choose another"),
        ({"HEAP_DUCKDB_PATH": f"{'x' * 220}.duckdb"}, "longer than 200 bytes"),
        ({"HEAP_CONFIG": "~nobody-here/heap.yaml"}, "begins with a home folder that is not known"),
        ({"HEAP_UI_URL": "http://[::1"}, "it must be an address such as http://dagster.example.com"),
        ({"HEAP_UI_URL": "http://x:y"}, "it must be an address such as"),
        ({"AWS_ENDPOINT_URL": "http://[::1"}, "it must be an address such as https://s3.example.com"),
        ({"AWS_ENDPOINT_URL": "localhost:9000"}, "it must be an address such as"),
        ({"HEAP_LAKE_URI": "s3://lake/a%41"}, "Delta misreads"),
        ({"HEAP_LAKE_URI": "s3://lake/a//b"}, "Delta misreads"),
        ({"HEAP_LAKE_URI": "s3://lake/a/../b"}, "Delta misreads"),
        ({"HEAP_LAKE_URI": "a%41"}, "Delta misreads"),
        ({"HEAP_LAKE_URI": "https://bucket"}, "it must be a folder or s3://bucket/prefix"),
        ({"HEAP_LAKE_URI": "s3://"}, "names no bucket"),
        ({"HEAP_LAKE_URI": "file"}, "which is a file; it must be a folder"),
        ({"HEAP_DUCKDB_PATH": "my export"}, "which is a folder; it must be a file"),
        ({"HEAP_DUCKDB_PATH": "s3://bucket/heap.duckdb"}, "it must be a path"),
        ({"HEAP_CONFIG": "nowhere.yaml"}, "there is no such file"),
        ({"HEAP_CONFIG": "my export"}, "there is no such file"),
        ({"HEAP_MEMORY_GIB": "4 GiB"}, "it must be a number of GiB such as 4 or 0.5"),
        ({"HEAP_MEMORY_GIB": "0"}, "it must be a number of GiB"),
        ({"HEAP_FACTS_AS": "both"}, "it must be views or tables"),
        ({"HEAP_FACTS_AS": "views", "HEAP_LAKE_URI": "s3://lake"}, "use tables"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_message_that_names_variable_value_and_what_is_allowed(variables, said):
    with pytest.raises(SettingsError) as wrong:
        settings(**variables)
    (name, value), *_ = variables.items()
    message = str(wrong.value)
    assert message.startswith(f"{name} is ")
    assert value in message
    assert said in message
    assert "\n" not in message


def test_addresses_of_alerts_are_parted_by_blanks_and_never_shown():
    settings = read_settings({"HEAP_ALERT_URLS": "slack://a/b,c json://x\n mailto://y"})
    assert settings.alert_urls == ("slack://a/b,c", "json://x", "mailto://y")
    assert "slack" not in repr(settings)
    with pytest.raises(SettingsError, match="HEAP_ALERT_URLS, address 2") as raised:
        read_settings({"HEAP_ALERT_URLS": "json://x token-only"})
    assert "token-only" not in str(raised.value)


@pytest.mark.parametrize("value", ["dagster.example.com", "ftp://x", "http://"])
def test_the_address_of_the_ui_is_one(value):
    with pytest.raises(SettingsError, match="HEAP_UI_URL"):
        read_settings({"HEAP_UI_URL": value})


def test_how_long_a_sync_waits_for_another_is_a_duration():
    assert settings().lock_wait == timedelta(hours=2)
    assert settings(HEAP_LOCK_WAIT="90s").lock_wait == timedelta(seconds=90)
    with pytest.raises(SettingsError, match=r"HEAP_LOCK_WAIT is soon; allowed: a whole number and a unit"):
        settings(HEAP_LOCK_WAIT="soon")
