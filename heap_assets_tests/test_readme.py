"""The README is true: its commands and examples run, its tables name what there is.

Here: README.md. Commands run in README order in one working copy, so that what an earlier one made is there.
Not here: .ci/run (test_ci.py), the benchmarks' figures.
"""

import re
import tomllib
import urllib.request
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
import yaml

from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets.settings import read_settings
from heap_assets_tests.published import A, M, S, run, sync_of
from heap_assets_tests.receiver import receiver
from heap_assets_tests.working_copy import ROOT, clean_environment, dagster_dev, run_command, working_copy

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """Return the shell commands one by one; lines that set the environment go with the command after them."""
    found = []
    for block in blocks("sh"):
        before = ""
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("export "):
                before += f"{line}\n"
            else:
                found.append(before + line)
    return found


def rows_below(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a text."""
    lines = README.partition(heading)[2].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|---")) + 1
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table


def names_below(heading: str) -> list[str]:
    return [name for first, *_ in rows_below(heading) for name in re.findall(r"`([^`]+)`", first)]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return working_copy(tmp_path_factory.mktemp("readme") / "heap-assets")


@pytest.fixture(scope="module")
def published(copy):
    """Publish the sample as the first command of the README does, and lend a connection to the file."""
    file = copy / ".heap" / "heap.duckdb"
    if not file.exists():
        run_command("uv run heap-assets sync", copy, clean_environment())
    with duckdb.connect(file, read_only=True) as connection:
        yield connection


@pytest.mark.slow
@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_readme_runs(command, copy, request):
    environment = clean_environment()
    if "dagster dev" in command:
        with dagster_dev(command, copy, environment) as address, urllib.request.urlopen(address) as answer:  # noqa: S310
            assert b"<title>Dagster" in answer.read() or answer.status == 200
        return
    if "alerts test" in command:
        with receiver() as chat:
            run_command(re.sub(r"json://\S+", chat.url, command), copy, environment)
            assert chat.titles() == ["heap_assets: a test"]
        return
    if "s3://" in command:
        command, environment = on_the_test_server(command, environment, request)
    if "pytest" in command:
        command += " --collect-only -q -n 0"  # it is being run
    if "uv sync" in command:
        command += " --dry-run"  # the environment that runs the tests stays as it is
    if "benchmarks operate" in command:
        command += " --tables=1 --dumps=2 --repeats=1"
    if "benchmarks land" in command:
        command += " --only=rates --events=300 --days=3 --repeats=1"
    if "benchmarks analytics" in command:
        command += " --rows=20000 --repeats=1"
    if "benchmarks history" in command:
        command += " --only=build --events=6000 --days=12 --repeats=1"
    run_command(command.replace("pip install uv &&", "uv --version &&"), copy, environment)


def on_the_test_server(command: str, environment: dict[str, str], request) -> tuple[str, dict[str, str]]:
    """Make the bucket and role that the command names on the test's S3 server, with a small export in the bucket."""
    server = request.getfixturevalue("s3_server")
    export = request.getfixturevalue("tmp_path") / "export"
    write_sample(export, SampleSize(users=20, days=3))
    bucket = re.search(r"s3://([^/\s]+)", command)[1]
    client = server.client()
    client.create_bucket(Bucket=bucket)
    for path in export.rglob("*"):
        if path.is_file():
            client.upload_file(str(path), bucket, str(path.relative_to(export)))
    role = server.create_role()
    environment |= {"AWS_ENDPOINT_URL": server.endpoint, "NO_PROXY": "127.0.0.1"}
    environment |= {"AWS_ACCESS_KEY_ID": server.key, "AWS_SECRET_ACCESS_KEY": server.secret}
    return re.sub(r"arn:aws:iam\S+", role, command), environment


@pytest.mark.slow
@pytest.mark.parametrize("query", blocks("sql"))
def test_every_query_of_the_readme_has_an_answer(query, published):
    assert published.execute(query).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "only_if_delivered"), [(S, {"_dropped_tables"}), (M, set()), (A, set())])
def test_the_tables_of_each_schema_are_those_that_are_published(schema, only_if_delivered, published):
    found = {
        name
        for (name,) in published.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [schema]
        ).fetchall()
    }
    events = {name for (name,) in published.execute(f"SELECT DISTINCT event_table_name FROM {S}.all_events").fetchall()}
    segments = {name for name in found if name.startswith("segment_")}
    told = set(names_below(f"Schema `{schema}`"))
    assert told - only_if_delivered == found - (events - {"sessions", "pageviews"}) - segments
    in_words = " ".join(first for first, *_ in rows_below(f"Schema `{schema}`"))
    assert ("one table per event" in in_words) == (schema != A)
    assert ("one table per segment" in in_words) == bool(segments)


@pytest.mark.slow
def test_the_examples_of_funnels_segments_conversions_and_channels_find_somebody_in_the_sample(tmp_path):
    (tmp_path / "heap.yaml").write_text("".join(block for block in blocks("yaml") if not block.startswith("ops:")))
    write_sample(tmp_path / "export", SampleSize(users=300, days=20))
    sync = sync_of(tmp_path / "export", tmp_path / "home", HEAP_CONFIG=str(tmp_path / "heap.yaml"))
    run(sync)
    assert sync.last_publication().warnings == ()
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:

        def found(query: str) -> list:
            return [value for (value,) in connection.execute(query).fetchall()]

        reached = found("SELECT sum(users) FROM heap_analytics.funnel_steps GROUP BY step_number ORDER BY step_number")
        assert reached[0] > reached[1] > reached[2] > 0
        groups = set(found("SELECT group_value FROM heap_analytics.funnel_steps WHERE users > 0"))
        assert {"gold", "free"} <= groups
        for segment in ("lookers", "gold"):
            assert (
                0
                < found(f"SELECT count(*) FROM {M}.segment_{segment}")[0]
                < found(f"SELECT count(*) FROM {M}.users")[0]
            )
        assert set(found("SELECT heap_event_name FROM heap_analytics.attribution")) == {"order_completed", "sign_up"}
        channels = set(found("SELECT heap_session_defined_channel_attribution FROM heap_analytics.heap_sessions"))
        assert {"Newsletter", "Paid", "Direct", "Unattributed"} <= channels


@pytest.mark.slow
def test_the_packaged_configuration_fits_the_sample(published):
    funnels = published.execute(
        "SELECT funnel, min(reached), count(*) FROM (SELECT funnel, step_number, sum(users) AS reached"
        " FROM heap_analytics.funnel_steps GROUP BY ALL) GROUP BY ALL"
    ).fetchall()
    assert {funnel for funnel, *_ in funnels} == {"purchase", "purchase_in_one_session"}
    assert all(fewest > 0 for _, fewest, _ in funnels)
    for segment in ("segment_gold", "segment_buyers"):
        assert published.execute(f"SELECT count(*) FROM {M}.{segment}").fetchone() > (0,)


@pytest.mark.slow
def test_nothing_is_stale_before_anybody_has_done_anything(published):
    (newest,) = published.execute(
        f"SELECT min(synced_to_time) FROM {S}._sync_info WHERE event_table_name IN ('users', 'sessions', 'pageviews')"
    ).fetchone()
    assert datetime.now(UTC) - newest.replace(tzinfo=UTC) < timedelta(hours=50)


class Asked(dict[str, str]):
    """An environment without variables that remembers which were asked for."""

    def __init__(self):
        self.names = []

    def get(self, name, default=None):
        self.names.append(name)
        return default


def test_the_settings_are_those_that_are_read():
    asked = Asked()
    read_settings(asked)
    assert sorted(names_below("## Settings")) == sorted(set(asked.names))


def test_the_defaults_of_the_settings_are_those_that_hold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    defaults = {first.strip("`"): default for first, default, _ in rows_below("## Settings")}
    settings = read_settings({})
    assert defaults["HEAP_HOME"] == "`./.heap`"
    assert settings.home == tmp_path / ".heap"
    assert defaults["HEAP_LAKE_URI"] == "`HEAP_HOME/lake`"
    assert settings.lake_uri == str(settings.home / "lake")
    assert defaults["HEAP_DUCKDB_PATH"] == "`HEAP_HOME/heap.duckdb`"
    assert settings.duckdb_path == settings.home / "heap.duckdb"
    assert defaults["HEAP_FACTS_AS"] == "`views`; `tables` for a lake in S3"
    assert settings.facts_as == "views"
    assert read_settings({"HEAP_LAKE_URI": "s3://lake"}).facts_as == "tables"


def test_the_run_config_fits_the_job():
    import dagster as dg

    from heap_assets.defs.definitions import heap_definitions

    (config,) = (block for block in blocks("yaml") if block.startswith("ops:"))
    assert dg.validate_run_config(heap_definitions().resolve_job_def("heap_sync"), yaml.safe_load(config))


def test_the_versions_of_python_are_those_of_the_project_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    first, last = re.search(r"Python (3\.\d+) to 3\.(\d+)", README).groups()
    assert project["requires-python"] == f">={first},<3.{int(last) + 1}"
    assert project["license"] in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(\.?(?:heap_assets|\.ci)/[\w./-]+)`", README))))
def test_every_file_that_the_readme_names_is_there(named):
    assert (ROOT / named).exists()


def test_the_checks_are_those_that_there_are():
    from heap_assets.defs.definitions import heap_definitions

    there = {key.name for checks in heap_definitions().asset_checks for key in checks.check_keys}
    assert set(names_below("### What each check means")) >= {*there, "every_dump_landed"}
    told = [row[0] for row in rows_below("### What each check means")]
    assert sorted(told) == sorted(f"`{name}`" for name in {*there, "every_dump_landed"})


def test_what_runs_by_itself_is_what_the_definitions_have():
    from heap_assets.defs.definitions import heap_definitions

    definitions = heap_definitions()
    automatic = sorted(one.name for one in (*definitions.sensors, *definitions.schedules))
    assert sorted(row[0].strip("`") for row in rows_below("## It runs by itself")) == automatic
