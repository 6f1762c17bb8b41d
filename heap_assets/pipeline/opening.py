"""Lake, locks, export, target as the settings place them: a folder, or S3 with keys that renew themselves; the sample.

Not here: what lies in them (lake/, sources/), whose export a lake holds (landing/export_identity.py).
"""

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from heap_assets.addresses import read_address
from heap_assets.aws.access import AT_ONCE, s3_client
from heap_assets.lake.locking.lease import S3Lease
from heap_assets.lake.locking.lock import NAME, FolderLock, Lock
from heap_assets.lake.s3_storage import S3Storage
from heap_assets.lake.storage import FolderStorage, Storage
from heap_assets.sample.export import write_sample
from heap_assets.sample.size import embedded_size
from heap_assets.settings import Settings
from heap_assets.sources.opening import open_source
from heap_assets.sources.source import Source
from heap_assets.targets.duckdb.target import DuckDBTarget


def open_storage(settings: Settings, *, fence: Callable[[], None] = lambda: None) -> Storage:
    """Return the storage; what is read from S3 is kept below HEAP_HOME.

    ``fence`` is called before anything in S3 changes, and raises if that may not be.
    """
    place = read_address(settings.lake_uri)
    if isinstance(place, Path):
        return FolderStorage(place)
    return S3Storage(settings.aws, place.bucket, place.prefix, cache=settings.home / "lake-cache", fence=fence)


def open_lock(settings: Settings, name: str = NAME) -> Lock:
    """Return a lock that lies with the lake, the one of the lake itself if no other is named."""
    place = read_address(settings.lake_uri)
    if isinstance(place, Path):
        return FolderLock(place / name, place=settings.lake_uri)
    key = f"{place.prefix}/{name}.json".lstrip("/")
    return S3Lease(s3_client(settings.aws, calls=AT_ONCE), place.bucket, key, place=settings.lake_uri)


def open_target(settings: Settings) -> DuckDBTarget:
    """Return where to publish."""
    return DuckDBTarget(path=settings.duckdb_path, as_tables=settings.facts_as == "tables")


def open_export(settings: Settings) -> Source:
    """Return the export."""
    return open_source(settings.source_uri, access=settings.aws)


def sample_is_missing(settings: Settings) -> bool:
    """Return whether the settings name no export and the embedded sample has not been made yet."""
    return settings.export_uri is None and not (settings.sample_path / "manifests").exists()


def make_sample(settings: Settings) -> None:
    """Make the sample beside its place: one that a killed run left unfinished would be taken for whole."""
    with tempfile.TemporaryDirectory(dir=settings.home) as beside:
        write_sample(Path(beside) / "sample", embedded_size(datetime.now(UTC)))
        if not settings.sample_path.exists():
            (Path(beside) / "sample").rename(settings.sample_path)
