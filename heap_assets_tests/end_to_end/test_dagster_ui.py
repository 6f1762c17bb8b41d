"""Dagster's UI in a real browser: the job is run by a click, and its assets say what there is to say.

Here: what a person does and sees. Not here: starting server and browser (working_copy.py, browser.py), what runs put
down (test_job.py).
"""

from datetime import date

import pytest

from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets_tests.end_to_end.browser import browser_on, need_browser
from heap_assets_tests.end_to_end.graphql import ask, until
from heap_assets_tests.working_copy import clean_environment, dagster_dev, working_copy

pytestmark = pytest.mark.slow

ORDER_COMPLETED = "^Order Completed. Sent when the payment is confirmed."


@pytest.fixture(scope="module")
def ui(tmp_path_factory):
    """Start ``dagster dev`` on a small sample export and a fresh home, and lend a browser on it."""
    need_browser()
    folder = tmp_path_factory.mktemp("ui")
    write_sample(folder / "export", SampleSize(users=200, days=20, seed=7, end=date(2026, 6, 30)))
    environment = clean_environment(HEAP_EXPORT_URI=str(folder / "export"), HEAP_HOME=str(folder / "home"))
    copy = working_copy(folder / "copy")
    with dagster_dev("uv run dagster dev", copy, environment) as address, browser_on(address, folder) as ui:
        yield ui
        assert ui.errors == []


@pytest.fixture(scope="module")
def synced(ui):
    """Run the job from its page after the sensor has, wait until it ended well, and load the definitions again."""
    runs = "{ runsOrError(filter: {statuses: [SUCCESS]}) { ... on Runs { results { status } } } }"
    until(lambda: ask(ui.address, runs)["runsOrError"]["results"])
    ui.open("/locations/heap/jobs/heap_sync")
    ui.see("raw")  # the other groups may lie outside the picture
    ui.see_like("^Lands every dump that has arrived")
    ui.shoot("job")
    ui.click("Materialize all")
    run = ui.page.get_by_text("Launched run").locator("span").inner_text()
    ui.open("/runs")
    ui.page.get_by_role("link", name=run).first.click()
    ended = ui.see_like("^(Success|Failure)$")
    ui.shoot("run")
    assert ended == "Success"
    steps = "{ runsOrError { ... on Runs { results { runId stepStats { stepKey } } } } }"  # the chart hides short ones
    found = ask(ui.address, steps)["runsOrError"]["results"]  # a sensor may have begun another run meanwhile
    (ours,) = (one for one in found if one["runId"].startswith(run))
    assert {step["stepKey"] for step in ours["stepStats"]} >= {"land", "resolve", "analyze", "publish"}
    ui.open("/assets")
    ui.click("Reload definitions")
    ui.see_like(r"^Add to Cart\.\s+One row per occurrence of this event")
    return ui


def test_event_tables_are_assets_with_their_display_names_after_a_run_and_a_reload(synced):
    synced.open("/assets/heap")
    synced.see_like(ORDER_COMPLETED)
    synced.see("Materialized")
    synced.shoot("catalog")
    assert synced.count("Never materialized") == 0
    assert synced.count("Failed") == 0


def test_the_lineage_shows_five_groups_from_raw_to_published(synced):
    synced.open("/asset-groups")
    synced.see("raw", "heap", "heap_migrated", "analytics", "published")
    synced.shoot("lineage")


def test_the_graph_of_a_group_shows_its_tables_green_and_what_they_are_made_of(synced):
    synced.open("/locations/heap/asset-groups/analytics/lineage")
    synced.see("Materialized")
    synced.shoot("group")
    synced.open("/assets/heap_migrated")
    synced.see("identity_map", "order_completed", "Materialized")


def test_the_neighbours_of_an_event_are_its_table_without_migrations_the_identity_map_and_the_file(synced):
    synced.open("/assets/heap_migrated/order_completed?view=lineage")
    synced.see("heap", "heap_migrated", "published", "identity_map", "all_events", "duckdb_file")
    synced.see("analytics", "heap_events", "funnel_users", "segment_buyers")
    assert synced.count("segment_gold") == 0
    synced.shoot("neighbours")


def test_the_page_of_an_event_shows_rows_columns_and_the_times_of_its_events(synced):
    synced.open("/assets/heap_migrated/order_completed")
    synced.see_like(ORDER_COMPLETED)
    synced.see("Row count", "original_user_id", "User id that Heap recorded, before merges", "BIGINT", "TIMESTAMP")
    synced.see("first_event", "last_event", "last_dump", "rows_of_merged_users")
    synced.see_like("^Jun [12][0-9], .* UTC$")
    synced.shoot("event")


def test_the_page_of_a_raw_table_shows_what_was_landed(synced):
    synced.open("/assets/raw/users")
    synced.see("Row count", "rows_landed", "dumps_landed", "last_dump", "avro", "Delta Lake")
    synced.shoot("raw")


def test_the_page_of_a_funnel_shows_its_conversion_and_a_picture_of_its_steps(synced):
    synced.open("/assets/analytics/funnel_steps")
    synced.see("Row count", "conversion of purchase", "picture", "Funnel purchase")
    synced.see_like("product_view +█+ ")
    synced.shoot("funnel")


def test_the_page_of_the_report_links_to_it(synced):
    synced.open("/assets/published/report")
    synced.see_like("^One HTML page for people who do not write SQL")
    synced.see_like("^file:///.*/home/report.html$")
    synced.shoot("report")


def test_the_page_of_the_file_lists_its_tables_and_the_check_that_nothing_is_left_behind(synced):
    synced.open("/assets/published/duckdb_file")
    synced.see("path", "main_production.order_completed", "main_production_migrated.all_events")
    synced.shoot("file")
    synced.open("/assets/published/duckdb_file?view=checks&checkDetail=every_dump_landed")
    synced.see("every_dump_landed", "Nothing is left behind.", "Passed")
    synced.shoot("check")
