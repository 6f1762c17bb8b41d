"""The report of what was published, as a page in its place.

Here: the models that it reads. Not here: what is on the page (report/).
"""

from datetime import datetime
from pathlib import Path

from heap_assets.config.model import Configuration
from heap_assets.lake.storage import Storage
from heap_assets.models.catalog import ANALYTICS
from heap_assets.pipeline.build.analytics_state import read_analytics
from heap_assets.pipeline.build.model_build import rows_of
from heap_assets.pipeline.publish.published import Publication
from heap_assets.settings import Settings


def write_report(
    settings: Settings, configuration: Configuration, storage: Storage, publication: Publication, *, now: datetime
) -> Path:
    """Write the report and return where it is; ``now`` (aware) tells how old the data is."""
    from heap_assets.report.figures import READ, report_figures  # noqa: PLC0415  importing Matplotlib takes half a second
    from heap_assets.report.page import report_page, write_page  # noqa: PLC0415

    built = read_analytics(storage).models
    models = {model.name: rows_of(model, storage, built[model.name]) for model in ANALYTICS if model.name in READ}
    figures = report_figures(models, publication.synced, configuration, now=now.replace(tzinfo=None))
    write_page(settings.report_path, report_page(figures))
    return settings.report_path
