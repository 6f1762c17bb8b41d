"""The report as one HTML page that needs nothing else: no network, no script.

Here: figures to page, page to file. Names from data are escaped by Jinja wherever they stand. Not here: what is asked
(figures.py), how it looks (page.html).
"""

import uuid
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from heap_assets.report import words
from heap_assets.report.figures import MODELS, AttributionFigure, Day, ReportFigures
from heap_assets.report.pictures import (
    COLOURS,
    SESSIONS_COLOUR,
    USERS_COLOUR,
    WIDTHS,
    attribution_picture,
    days_picture,
)

_MOST_SHADE = 0.75


def report_page(figures: ReportFigures) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("heap_assets.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "share": words.share,
        "duration": words.duration,
        "count": words.count,
        "model_name": words.model_name,
        "shade": _shade,
    }
    return environment.get_template("page.html").render(
        figures=figures,
        models=MODELS,
        channel_key=list(zip(figures.attribution.channels if figures.attribution else (), COLOURS, strict=False)),
        sessions_colour=SESSIONS_COLOUR,
        users_colour=USERS_COLOUR,
        days=_pictures(lambda width: _days(figures.days, width)) if figures.days else {},
        attribution=_of_attribution(figures.attribution),
        weeks=max((len(cohort.rates) for cohort in figures.cohorts), default=0),
        behind=[table for table in figures.freshness if table.verdict in {"late", "stale"}],
    )


def write_page(path: Path, page: str) -> None:
    """Write a page so that who opens it meanwhile sees the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")  # its rights follow the umask, as mkstemp's do not
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _days(days: tuple[Day, ...], width: int) -> str:
    return days_picture(
        [day.day for day in days], [day.sessions for day in days], [day.users for day in days], width=width
    )


def _of_attribution(attribution: AttributionFigure | None) -> dict[str, Markup]:
    if attribution is None:
        return {}
    return _pictures(lambda width: attribution_picture(attribution.channels, MODELS, width=width))


def _pictures(drawn: Callable[[int], str]) -> dict[str, Markup]:
    """Return a picture for each width; nothing in it comes from data but numbers."""
    return {name: Markup(drawn(width)) for name, width in WIDTHS.items()}  # noqa: S704


def _shade(rate: float) -> str:
    """Return how strongly a cell is coloured, so that text on it stays readable."""
    return f"{min(rate, 1.0) * _MOST_SHADE:.3f}"
