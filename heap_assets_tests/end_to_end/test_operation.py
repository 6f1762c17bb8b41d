"""It runs by itself, in a real daemon and a real browser: dumps arrive, tables appear, go stale, are told of, recover.

Here: one story from an empty home on, as a person would watch it. Not here: what the pages of assets show
(test_dagster_ui.py), decisions (pipeline/, quality/, alerts/).
"""

from datetime import UTC, datetime, timedelta

import pytest

from heap_assets.sample.calendar import Calendar
from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets_tests.end_to_end.browser import browser_on, need_browser
from heap_assets_tests.end_to_end.graphql import ask, until
from heap_assets_tests.receiver import receiver
from heap_assets_tests.working_copy import clean_environment, dagster_dev, working_copy

pytestmark = pytest.mark.slow

LAST_DAY = (datetime.now(UTC) - timedelta(days=2)).date()
SIZE = SampleSize(users=60, days=20, end=LAST_DAY)
NEW_TABLE = "wishlist_add"
CONFIG = "freshness: {default: {warn: 90h, fail: 100h}, tables: {}}\n"


class Story:
    """A running Dagster on an export that grows; what the UI and the receiver of alerts show."""

    def __init__(self, export, ui, address: str, chat) -> None:
        self.export, self.ui, self.address, self.chat = export, ui, address, chat
        self.dumps = [dump.dump_id for dump in Calendar(SIZE).dumps]

    def deliver(self, dump_ids) -> None:
        write_sample(self.export, SIZE, only=set(dump_ids))

    def ask(self, query: str) -> dict:
        return ask(self.address, query)

    def ended_runs(self) -> list[str]:
        found = self.ask('{ runsOrError(filter: {pipelineName: "heap_sync"}) { ... on Runs { results { status } } } }')
        statuses = [run["status"] for run in found["runsOrError"]["results"]]
        return [status for status in statuses if status in {"SUCCESS", "FAILURE", "CANCELED"}]

    def assets(self) -> set[str]:
        return {
            "/".join(node["assetKey"]["path"])
            for node in self.ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
        }

    def freshness(self, table: str) -> str | None:
        key = f'{{path: ["heap_sync", "{table}"]}}'
        (node,) = self.ask(f"{{ assetNodes(assetKeys: [{key}]) {{ freshnessStatusInfo {{ freshnessStatus }} }} }}")[
            "assetNodes"
        ]
        return (node["freshnessStatusInfo"] or {}).get("freshnessStatus")


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    need_browser()
    folder = tmp_path_factory.mktemp("operation")
    (folder / "export" / "manifests").mkdir(parents=True)
    (folder / "heap.yaml").write_text(CONFIG)
    copy = working_copy(folder / "copy")
    with receiver() as chat:
        environment = clean_environment(
            HEAP_EXPORT_URI=str(folder / "export"),
            HEAP_HOME=str(folder / "home"),
            HEAP_CONFIG=str(folder / "heap.yaml"),
            HEAP_ALERT_URLS=chat.url,
            FRESHNESS_DAEMON_INTERVAL_SECONDS="5",
        )
        with dagster_dev("uv run dagster dev", copy, environment) as address, browser_on(address, folder) as ui:
            yield Story(folder / "export", ui, address, chat)
            assert ui.errors == []
    assert chat.SECRET not in (copy / "dagster-dev.log").read_text()


def test_the_story(story):
    ui, first, rest = story.ui, story.dumps[:3], story.dumps[3:]
    story.deliver(first)
    until(story.ended_runs)
    assert story.ended_runs() == ["SUCCESS"]
    until(lambda: "heap/order_completed" in story.assets())  # nobody has clicked "Reload definitions"
    assert f"heap/{NEW_TABLE}" not in story.assets()
    ui.open("/automation")
    ui.see("heap_manifests", "heap_freshness", "heap_marts", "heap_alerts", "heap_sync_nightly")
    ui.see("heap_maintenance_weekly", "Automation condition sensor")  # what is said of each comes later than its name
    ui.shoot("automation")

    until(lambda: story.freshness("pageviews") == "DEGRADED")
    stale = until(
        lambda: [message for message in story.chat.messages if "synced_to_time_freshness" in message["message"]]
    )
    assert "OK -> FAILED heap_sync/" in stale[0]["message"]
    assert f"{story.address}/assets/heap_sync/" in stale[0]["message"]
    ui.open("/assets/heap_sync/pageviews")
    ui.see("Freshness policy", "Failed")
    ui.shoot("stale")
    ui.open("/assets/heap_sync/pageviews?view=checks&checkDetail=synced_to_time_freshness")
    ui.see_like("^The newest data is .* h old")
    ui.shoot("stale_check")
    ui.open("/assets/heap_sync/pageviews?view=lineage")
    ui.see("raw", "heap_sync")
    ui.shoot("stale_lineage")

    story.deliver(rest)
    until(lambda: len(story.ended_runs()) == 2)
    assert story.ended_runs() == ["SUCCESS", "SUCCESS"]
    until(lambda: f"heap/{NEW_TABLE}" in story.assets())
    ui.open(f"/assets/heap/{NEW_TABLE}")
    ui.see_like("One row per occurrence of this event")
    ui.shoot("new_table")

    until(lambda: story.freshness("pageviews") == "HEALTHY")
    until(lambda: any("FAILED -> OK heap_sync/" in message["message"] for message in story.chat.messages))
    assert len(story.chat.messages) < 10
    ui.open("/assets/heap_sync/pageviews")
    ui.see("Passing")
    ui.shoot("fresh")

    ui.open("/locations/heap/jobs/heap_sync")
    ui.click("Materialize all")
    ui.page.get_by_text("Launched run").wait_for()
    until(lambda: len(story.ended_runs()) == 3)
    assert set(story.ended_runs()) == {"SUCCESS"}
