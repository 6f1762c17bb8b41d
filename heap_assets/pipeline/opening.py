"""The lake's storage as the settings place it: a folder, or S3 with keys that renew themselves.

Not here: what lies in it (lake/), the export (export/opening.py).
"""

from pathlib import Path
from urllib.parse import urlsplit

from heap_assets.aws.access import aws_session, s3_client, storage_options
from heap_assets.lake.storage import FolderStorage, S3Storage, Storage
from heap_assets.settings import Settings, is_s3


def open_storage(settings: Settings) -> Storage:
    """Return the storage; what is read from S3 is kept below HEAP_HOME."""
    if not is_s3(settings.lake_uri):
        return FolderStorage(Path(settings.lake_uri))
    place = urlsplit(settings.lake_uri)
    session = aws_session(settings.aws)
    return S3Storage(
        s3_client(settings.aws, session),
        place.netloc,
        place.path.strip("/"),
        cache=settings.home / "lake-cache",
        options=lambda: storage_options(settings.aws, session),
    )
