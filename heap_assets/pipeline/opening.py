"""The lake's storage and its locks as the settings place them: a folder, or S3 with keys that renew themselves.

Not here: what lies in it (lake/), the export (export/opening.py).
"""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from heap_assets.aws.access import AT_ONCE, aws_session, s3_client, storage_options
from heap_assets.lake.lease import S3Lease
from heap_assets.lake.lock import NAME, FolderLock, Lock
from heap_assets.lake.storage import FolderStorage, S3Storage, Storage
from heap_assets.settings import Settings, is_s3


def open_storage(settings: Settings, *, fence: Callable[[], None] = lambda: None) -> Storage:
    """Return the storage; what is read from S3 is kept below HEAP_HOME.

    ``fence`` is called before anything in S3 changes, and raises if that may not be.
    """
    if not is_s3(settings.lake_uri):
        return FolderStorage(Path(settings.lake_uri))
    bucket, prefix = _place(settings)
    session = aws_session(settings.aws)
    return S3Storage(
        s3_client(settings.aws, session),
        bucket,
        prefix,
        cache=settings.home / "lake-cache",
        options=lambda: storage_options(settings.aws, session),
        fence=fence,
    )


def open_lock(settings: Settings, name: str = NAME) -> Lock:
    """Return a lock that lies with the lake, the one of the lake itself if no other is named."""
    if not is_s3(settings.lake_uri):
        return FolderLock(Path(FolderStorage(Path(settings.lake_uri)).address(name)), place=settings.lake_uri)
    bucket, prefix = _place(settings)
    client = s3_client(settings.aws, calls=AT_ONCE)
    return S3Lease(client, bucket, f"{prefix}/{name}.json".lstrip("/"), place=settings.lake_uri)


def _place(settings: Settings) -> tuple[str, str]:
    place = urlsplit(settings.lake_uri)
    return place.netloc, place.path.strip("/")
