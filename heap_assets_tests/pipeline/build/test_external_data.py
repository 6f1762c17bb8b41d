"""A table of the user's own next to Heap's: read from files and databases, joined with people, published."""

import dagster as dg
import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heap_assets.defs.definitions import heap_definitions
from heap_assets.defs.keys import DUCKDB_FILE
from heap_assets.defs.runs import run_sync_job
from heap_assets.errors import SettingsError, SourceError
from heap_assets.pipeline.progress import Silence
from heap_assets.settings import read_settings
from heap_assets.transforms.people import with_heap_user_id
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import run, sync_of

USERS = data_file("user_id:long identity email", (1, "c-1", "ann@x.example"), (2, "c-2", "bob@x.example"))
MERGES = data_file("from_user_id:long to_user_id:long", (2, 3))
CRM = pl.DataFrame({"customer_no": ["c-2", "c-9"], "email": ["BOB@x.example ", None], "plan": ["gold", "free"]})


@pytest.fixture
def export(tmp_path):
    write_dump(tmp_path / "export", dump(1, {"users": USERS, "user_migrations": MERGES}))
    return tmp_path / "export"


def places(folder):
    CRM.write_csv(folder / "crm.csv")
    CRM.write_parquet(folder / "crm.parquet")
    with duckdb.connect(folder / "shop.duckdb") as connection:
        connection.execute(f"CREATE TABLE crm AS FROM read_parquet('{folder}/crm.parquet')")


@pytest.mark.parametrize("place", ["crm.csv", "crm.parquet", "shop.duckdb#main.crm"])
@pytest.mark.parametrize("key", ["email", "customer_no=identity"])
def test_each_row_is_published_with_the_person_it_is_about(export, tmp_path, place, key):
    places(tmp_path)
    sync = sync_of(export, tmp_path / "home", HEAP_OTHER_TABLE=str(tmp_path / place), HEAP_OTHER_KEY=key)
    run(sync)
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        found = connection.execute(
            "SELECT o.customer_no, o.plan, u.user_id, u.identity FROM other.crm o"
            " LEFT JOIN heap_analytics.heap_users u ON u.user_id = o.heap_user_id ORDER BY ALL"
        ).fetchall()
    assert found == [("c-2", "gold", 3, "c-2"), ("c-9", "free", None, None)]


def test_the_asset_is_in_the_graph_only_where_the_table_is_set(export, tmp_path, monkeypatch):
    for name in ("DAGSTER_HOME", "HEAP_CONFIG", "HEAP_LAKE_URI", "HEAP_DUCKDB_PATH", "HEAP_FACTS_AS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEAP_EXPORT_URI", str(export))
    monkeypatch.setenv("HEAP_HOME", str(tmp_path / "home"))
    key = dg.AssetKey(["other", "crm"])
    assert key not in heap_definitions().resolve_asset_graph().get_all_asset_keys()
    places(tmp_path)
    monkeypatch.setenv("HEAP_OTHER_TABLE", "crm.csv")
    specs = {spec.key: spec for spec in heap_definitions().resolve_all_asset_specs()}
    assert specs[key].description
    assert key in {dep.asset_key for dep in specs[DUCKDB_FILE].deps}
    assert run_sync_job(Silence(), rebuild=False, reland=()).succeeded


def test_a_table_that_cannot_be_read_is_told_without_its_address(export, tmp_path):
    sync = sync_of(export, tmp_path / "home", HEAP_OTHER_TABLE=str(tmp_path / "secret.duckdb") + "#main.crm")
    with pytest.raises(SourceError, match="The table crm of HEAP_OTHER_TABLE cannot be read") as error:
        run(sync)
    assert "secret" not in str(error.value)


def test_a_column_that_the_table_lacks_is_told(export, tmp_path):
    places(tmp_path)
    sync = sync_of(export, tmp_path / "home", HEAP_OTHER_TABLE=str(tmp_path / "crm.csv"), HEAP_OTHER_KEY="mail=email")
    with pytest.raises(SourceError, match="no column mail; set HEAP_OTHER_KEY to one of its columns"):
        run(sync)


@pytest.mark.parametrize(
    ("place", "key", "said"),
    [
        ("crm.xlsx", "email", "HEAP_OTHER_TABLE cannot be used; it must be a .csv or .parquet file"),
        ("mysql://u:secret@h/db#t", "email", "HEAP_OTHER_TABLE cannot be used"),
        ("crm.csv", "phone", "HEAP_OTHER_KEY is phone; it must be email, identity"),
    ],
)
def test_a_wrong_setting_is_told_without_secrets(place, key, said):
    with pytest.raises(SettingsError, match=said) as error:
        read_settings({"HEAP_OTHER_TABLE": place, "HEAP_OTHER_KEY": key})
    assert "secret" not in str(error.value)


def test_a_password_is_in_no_printed_settings():
    found = read_settings({"HEAP_OTHER_TABLE": "postgresql://u:secret@h/db#public.customers"})
    assert found.external.name == "customers"
    assert "secret" not in repr(found)


@given(
    st.lists(st.tuples(st.sampled_from(["a", " A", "b", None, ""])), max_size=5),
    st.dictionaries(st.integers(1, 3), st.sampled_from(["a", "A ", "b", None]), max_size=4),
)
def test_no_row_is_lost_or_doubled_and_the_greatest_user_of_a_key_counts(rows, users):
    table = pl.DataFrame(rows, schema={"email": pl.String}, orient="row")
    known = pl.DataFrame([*users.items()], schema={"user_id": pl.Int64, "email": pl.String}, orient="row")
    found = with_heap_user_id(table, known, column="email", key="email")
    expected = [
        max((user for user, email in users.items() if email and mine and folded(email) == folded(mine)), default=None)
        for (mine,) in rows
    ]
    assert found["heap_user_id"].to_list() == expected
    assert found["email"].to_list() == table["email"].to_list()


def folded(email):
    return None if email is None else email.strip().lower()


IDS = ["19", "00019", "1.10", "1.1", "True", "true", "9" * 23, "A17", " 7", "7"]


def test_keys_match_exactly_as_they_are_written(tmp_path):
    users = data_file("user_id:long identity", *enumerate(IDS, start=1))
    write_dump(tmp_path / "export", dump(1, {"users": users}))
    early = [f"{n},x" for n in range(100_000, 125_000)]
    lines = ["no,heap_user_id", *early, *(f"{one},mine" for one in IDS), "1.100,x", "TRUE,x", '"",x']
    (tmp_path / "crm.csv").write_text("\n".join(lines))
    place = str(tmp_path / "crm.csv")
    sync = sync_of(tmp_path / "export", tmp_path / "home", HEAP_OTHER_TABLE=place, HEAP_OTHER_KEY="no=identity")
    run(sync)
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        found = connection.execute("SELECT no, heap_user_id, heap_user_id_2 FROM other.crm").fetchall()
    assert [row for row in found if row[1] is not None] == [(one, n, "mine") for n, one in enumerate(IDS, start=1)]
    assert len(found) == len(lines) - 1
    said = "The table crm of HEAP_OTHER_TABLE has a column heap_user_id of its own; it is published as heap_user_id_2."
    assert sync.join_external().warnings == (said,)
