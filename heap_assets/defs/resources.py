"""Resources: the sync that the assets drive, and the connections that assets of your own can use.

Here: Dagster's way to hand out what settings.py describes. Nothing is read or connected before an asset asks.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource

from heap_assets.pipeline.progress import Progress
from heap_assets.pipeline.sync import Sync
from heap_assets.settings import read_settings
from heap_assets.targets.duckdb.reader import opened


class HeapSync:
    """Hands the sync of the export that the environment names to the steps of a run, the same one to all of them."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._run_id = ""
        self._sync: Sync | None = None

    def sync_of(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Sync:
        """Return the run's sync; it tells the run's log how far it is, unless somebody else listens."""
        if self._sync is None or self._run_id != context.run.run_id:
            self._sync = Sync(read_settings(os.environ), self._progress or LoggedProgress(context.log))
            self._run_id = context.run.run_id
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


@dg.resource(description="S3 as the export is reached: a dagster_aws.s3.S3Resource with our endpoint, role and keys.")
def heap_s3(_: dg.InitResourceContext) -> object:
    """Return the resource; importing dagster-aws takes longer than loading our definitions, so nobody else waits."""
    from heap_assets.defs.s3 import HeapS3  # noqa: PLC0415

    return HeapS3()


class HeapDuckDB(DuckDBResource):
    """The published file, read-only: open readers never block a run."""

    database: str = ""

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Return a connection that is closed whatever happens."""
        path = self.database or str(read_settings(os.environ).duckdb_path)
        with opened(Path(path)) as connection:
            yield connection
