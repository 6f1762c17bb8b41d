"""What the report shows is what the published tables say.

Here: figures of a published sample, and of an export without anything. Not here: the page (test_page.py).
"""

from datetime import date, datetime, timedelta

import duckdb
import pytest

from heap_assets.models.catalog import ANALYTICS
from heap_assets.pipeline.build.analytics_state import read_analytics
from heap_assets.pipeline.build.model_build import rows_of
from heap_assets.report.figures import MODELS, ReportFigures, report_figures
from heap_assets.sample.calendar import SampleSize
from heap_assets.sample.export import write_sample
from heap_assets_tests.exports.shorthand import data_file, dump
from heap_assets_tests.exports.writer import write_dump
from heap_assets_tests.published import run, sync_of

NOW = datetime(2026, 7, 1, 8)  # noqa: DTZ001 (UTC without zone, as stored)


@pytest.fixture(scope="module")
def sync(tmp_path_factory):
    """Publish a small sample with the packaged configuration."""
    folder = tmp_path_factory.mktemp("figures")
    write_sample(folder / "export", SampleSize(users=200, days=30, seed=7, end=date(2026, 6, 30)))
    sync = sync_of(folder / "export", folder / "home", HEAP_CONFIG="")
    run(sync)
    return sync


def figures_of(sync) -> ReportFigures:
    built = read_analytics(sync.storage).models
    models = {model.name: rows_of(model, sync.storage, built[model.name]) for model in ANALYTICS}
    return report_figures(models, sync.last_publication().synced, sync.configuration, now=NOW)


@pytest.fixture(scope="module")
def figures(sync) -> ReportFigures:
    return figures_of(sync)


@pytest.fixture(scope="module")
def asked(sync):
    with duckdb.connect(sync.settings.duckdb_path, read_only=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


def test_a_funnel_without_groups_is_its_rows_of_funnel_steps(figures, asked):
    purchase = figures.funnels[0]
    assert purchase.groups == ()
    assert [(s.users, s.from_start, s.from_previous) for s in purchase.steps] == asked(
        "SELECT users, conversion_from_start, conversion_from_previous FROM heap_analytics.funnel_steps"
        " WHERE funnel = 'purchase' ORDER BY step_number"
    )
    medians = asked(
        "SELECT median_seconds_from_previous, median_seconds_from_start FROM heap_analytics.funnel_steps"
        " WHERE funnel = 'purchase' AND step_number > 1 ORDER BY step_number"
    )
    assert [(s.seconds_from_previous, s.seconds_from_start) for s in purchase.steps[1:]] == [
        pytest.approx(pair) for pair in medians
    ]


def test_a_funnel_with_groups_adds_them_up_and_shows_the_largest_first(figures, asked):
    grouped = figures.funnels[1]
    assert grouped.group_by == "plan"
    told = asked(
        "SELECT sum(users)::BIGINT FROM heap_analytics.funnel_steps WHERE funnel = 'purchase_in_one_session'"
        " GROUP BY step_number ORDER BY step_number"
    )
    assert [(step.users,) for step in grouped.steps] == told
    assert {group for group, _ in grouped.groups} >= {"gold", "(none)"}
    starts = [steps[0].users for _, steps in grouped.groups]
    assert starts == sorted(starts, reverse=True)


def test_each_model_gives_away_every_conversion(figures, asked):
    ((conversions,),) = asked("SELECT sum(weight) FROM heap_analytics.attribution WHERE model = 'linear'")
    assert figures.attribution.conversions == pytest.approx(conversions)
    for model in MODELS:
        given = sum(by_model[model] for by_model in figures.attribution.channels.values())
        assert given == pytest.approx(conversions)


def test_days_are_without_gaps_and_end_with_the_last_sync(figures, asked):
    days = [day.day for day in figures.days]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    assert days[-1] <= figures.synced.date()
    of_clocks_ahead = asked(
        f"SELECT count(*) FROM heap_analytics.heap_sessions WHERE heap_session_start_time > '{figures.synced}'"
    )
    assert sum(day.sessions for day in figures.days) == figures.sessions
    assert asked("SELECT count(*) FROM heap_analytics.heap_sessions") == [(figures.sessions + of_clocks_ahead[0][0],)]


def test_cohorts_have_a_share_for_every_week_that_has_come(figures, asked):
    last = max(cohort.begin for cohort in figures.cohorts)
    for cohort in figures.cohorts:
        assert len(cohort.rates) == (last - cohort.begin).days // 7 + 1
        assert cohort.rates[0] == 1
    rows = asked("SELECT cohort, periods_since, rate FROM heap_analytics.retention WHERE period = 'week'")
    for begin, since, rate in rows:
        (cohort,) = [one for one in figures.cohorts if one.begin == begin] or [None]
        if cohort is not None and since < len(cohort.rates):
            assert cohort.rates[since] == rate


def test_freshness_is_judged_by_the_configuration(figures):
    verdicts = {table.name: (table.age, table.verdict) for table in figures.freshness}
    assert {"users", "pageviews", "order_completed"} <= set(verdicts)
    for age, verdict in verdicts.values():
        assert verdict == ("fresh" if age <= timedelta(hours=26) else "late" if age <= timedelta(hours=50) else "stale")


def test_an_export_of_users_alone_has_figures_and_nothing_to_draw(tmp_path):
    write_dump(tmp_path / "export", dump(1, {"users": data_file("user_id:long email", (1, "a@x"))}))
    sync = sync_of(tmp_path / "export", tmp_path / "home", HEAP_CONFIG="")
    run(sync)
    figures = figures_of(sync)
    assert (figures.sessions, figures.users, figures.days, figures.attribution, figures.cohorts) == (0, 0, (), None, ())
    assert [step.users for funnel in figures.funnels for step in funnel.steps] == [0] * 7
    assert figures.freshness[0].verdict == "no data"
    assert "<svg" not in sync.report().read_text(encoding="utf-8")
