"""The page: names from data stay text, nothing is fetched, and it fits a phone.

Here: pages of made-up figures, as text and in a real browser. Not here: where figures come from (test_figures.py).
"""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from heap_assets.report.figures import (
    MODELS,
    AttributionFigure,
    Cohort,
    Day,
    FunnelFigure,
    ReportFigures,
    Step,
    TableFreshness,
)
from heap_assets.report.page import report_page, write_page
from heap_assets_tests.end_to_end.browser import browser_on, need_browser

NOW = datetime(2026, 7, 1, 8)  # noqa: DTZ001 (UTC without zone, as stored)
HOSTILE = """<script>document.title = 'taken'</script>"'&{{ 1 }}$x^2$""" + "W" * 120
EMPTY = ReportFigures(
    made=NOW, synced=None, sessions=0, users=0, days=(), funnels=(), attribution=None, cohorts=(), freshness=()
)


def figures(name: str = "plain", *, many: int = 8) -> ReportFigures:
    """Return figures in which every name that can come from data is this one."""
    steps = tuple(Step(name, 1000 // number, 1 / number, 0.5, 39.7, 196_327.0) for number in range(1, many + 1))
    return ReportFigures(
        made=NOW,
        synced=NOW,
        sessions=13_011,
        users=2_366,
        days=tuple(Day(date(2026, 6, 1) + timedelta(days=day), 10 + day, 5 + day) for day in range(30)),
        funnels=(
            FunnelFigure(
                name=name, about="within 7d", steps=steps, group_by=name, groups=((name, steps),), groups_left_out=3
            ),
        ),
        attribution=AttributionFigure(
            channels={f"{name}{number}": dict.fromkeys(MODELS, 12.345) for number in range(12)},
            conversions=148.14,
            first=date(2026, 6, 1),
            last=date(2026, 6, 30),
        ),
        cohorts=tuple(
            Cohort(begin=date(2026, 4, 6) + timedelta(weeks=week), size=200, rates=(1.0, *[0.4] * (12 - week)))
            for week in range(12)
        ),
        freshness=(TableFreshness(name=name, synced_to=NOW, last_sync=NOW, age=timedelta(days=3), verdict="stale"),),
    )


def test_the_page_says_what_the_figures_say():
    page = report_page(figures())
    for told in ("13,011", "2,366", "50%", "40 s later", "2 d 7 h", "148.1", "12.3", "stale", "3 smaller groups"):
        assert told in page, told
    assert page.count("<svg") == 4, "two pictures, each for two widths"


def test_names_from_data_are_text():
    page = report_page(figures(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_nothing_in_the_page_points_anywhere():
    page = report_page(figures())
    assert (
        re.findall(r"""(?:src|href)\s*=\s*["'](?!#|data:)|url\((?!#)|@import|<link(?! rel="icon" href="data:)""", page)
        == []
    )
    assert "default-src 'none'" in page
    named = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert named <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "names of XML, never fetched"


def test_a_page_without_any_data_says_so():
    page = report_page(EMPTY)
    for told in ("No sessions yet", "No funnels are configured", "No conversions yet", "No weeks", "Nothing has been"):
        assert told in page, told


def test_one_day_and_a_funnel_that_nobody_entered_can_be_drawn():
    nobody = tuple(Step("view", 0, None if number else 1.0, None, None, None) for number in range(2))
    funnel = FunnelFigure(name="f", about="", steps=nobody, group_by=None, groups=(), groups_left_out=0)
    page = report_page(replace(EMPTY, days=(Day(NOW.date(), 1, 1),), funnels=(funnel,)))
    assert "nobody did the first step" in page
    assert "width:0.00%" in page
    assert page.count("<svg") == 2


def test_the_same_figures_make_the_same_page_and_a_page_replaces_the_one_before(tmp_path):
    path = tmp_path / "home" / "report.html"
    for page in ("before", report_page(figures())):
        write_page(path, page)
    assert path.read_text(encoding="utf-8") == report_page(figures())
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", HOSTILE])
@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_the_page_fits_its_window_and_asks_for_nothing(name, width, tmp_path):
    need_browser()
    path = tmp_path / "report.html"
    write_page(path, report_page(figures(name)))
    with browser_on(path.as_uri(), tmp_path) as ui:
        asked: list[str] = []
        ui.page.on("request", lambda request: asked.append(request.url))
        ui.page.set_viewport_size({"width": width, "height": 900})
        ui.open("")
        assert ui.page.evaluate("document.documentElement.scrollWidth") <= width
        assert ui.page.title() == "Product analytics report"
        assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
        pictures = ui.page.locator("svg").filter(visible=True)
        assert pictures.count() == 2
        smallest = ui.page.evaluate(
            "Math.min(...[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
            ".filter(height => height > 0))"
        )
        assert smallest >= 9
        ui.shoot(f"report-{width}")
        assert ui.errors == []
