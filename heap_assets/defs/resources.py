"""Resources: the sync that the assets drive, and the connections that assets of your own can use.

Here: Dagster's way to hand out what settings.py describes. Nothing is read or connected before an asset asks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import duckdb
from dagster_aws.s3 import S3Resource
from dagster_duckdb import DuckDBResource
from pydantic import PrivateAttr

from heap_assets.export.s3 import s3_client
from heap_assets.pipeline.progress import Progress
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings


class HeapSync(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The sync of the export that the environment names; one object per run, shared by its steps."""

    _sync: Sync | None = PrivateAttr(default=None)
    _progress: Progress | None = PrivateAttr(default=None)

    def reporting_to(self, progress: Progress) -> "HeapSync":
        """Return this resource with a listener of one's own; without one, runs tell their log."""
        self._progress = progress
        return self

    def sync(self, log: dg.DagsterLogManager) -> Sync:
        """Return the run's sync."""
        if self._sync is None:
            self._sync = Sync(read_settings(os.environ), self._progress or LoggedProgress(log))
        return self._sync


class LoggedProgress:
    """Tells a run's log how far it is: a line per dump that begins, and one per table that is committed."""

    def __init__(self, log: dg.DagsterLogManager) -> None:
        self._log = log

    def planned(self, *, dumps: int, files: int) -> None:
        """Log what is to be landed."""
        self._log.info(f"{dumps} dumps to land, {files:,} files")

    def files_landed(self, *, table: str, dump_id: int, files: int, rows: int, size: int) -> None:
        """Log files of a delivery."""
        self._log.debug(f"dump {dump_id}, {table}: {files:,} files decoded, {rows:,} rows, {size:,} bytes")

    def delivery_landed(self, *, table: str, dump_id: int, rows: int) -> None:
        """Log a committed delivery."""
        self._log.info(f"dump {dump_id}, {table}: {rows:,} rows landed")

    def note(self, text: str) -> None:
        """Log a remark."""
        self._log.warning(text)


class HeapS3(S3Resource):
    """S3 as the export is reached: dagster-aws's resource with our endpoint, role and refreshing credentials."""

    def get_client(self) -> Any:
        """Return a boto3 client."""
        return s3_client(read_settings(os.environ).aws)


class HeapDuckDB(DuckDBResource):
    """The published file, read-only: open readers never block a run."""

    database: str = ""

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Return a connection that is closed whatever happens."""
        path = self.database or str(read_settings(os.environ).duckdb_path)
        connection = duckdb.connect(path, read_only=True)
        try:
            yield connection
        finally:
            connection.close()
