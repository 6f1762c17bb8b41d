"""The report of the published file, as a page in its place.

Not here: what is on the page (report/).
"""

from datetime import datetime
from pathlib import Path

from heap_assets.config.model import Configuration
from heap_assets.settings import Settings


def write_report(settings: Settings, configuration: Configuration, *, now: datetime) -> Path:
    """Write the report and return where it is; ``now`` (aware) tells how old the data is."""
    from heap_assets.report.figures import report_figures  # noqa: PLC0415  importing Matplotlib takes half a second
    from heap_assets.report.page import report_page, write_page  # noqa: PLC0415

    figures = report_figures(settings.duckdb_path, configuration, now=now.replace(tzinfo=None))
    write_page(settings.report_path, report_page(figures))
    return settings.report_path
