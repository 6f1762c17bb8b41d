"""The lake's storage as the settings place it: a folder, or S3 with keys that renew themselves.

Not here: what lies in it (lake/), the export (export/opening.py).
"""

from pathlib import Path

from heap_assets.addresses import read_address
from heap_assets.aws.access import aws_session, s3_client, storage_options
from heap_assets.lake.s3_storage import S3Storage
from heap_assets.lake.storage import FolderStorage, Storage
from heap_assets.settings import Settings


def open_storage(settings: Settings) -> Storage:
    """Return the storage; what is read from S3 is kept below HEAP_HOME."""
    place = read_address(settings.lake_uri)
    if isinstance(place, Path):
        return FolderStorage(place)
    session = aws_session(settings.aws)
    return S3Storage(
        s3_client(settings.aws, session),
        place.bucket,
        place.prefix,
        cache=settings.home / "lake-cache",
        options=lambda: storage_options(settings.aws, session),
    )
