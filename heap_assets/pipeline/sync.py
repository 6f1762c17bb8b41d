"""A sync: land, resolve, analyze, publish, report. What the Dagster assets and the command line both do.

Here: the steps, each safe to repeat, each in a turn of its own, with damage to lake and disk named. Not here: turns
(turns.py), Dagster, terminals.
"""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from heap_assets.config.load import load_configuration
from heap_assets.config.model import Configuration
from heap_assets.disk_errors import disk_errors_explained
from heap_assets.engines.local import LocalEngine
from heap_assets.errors import PublishedFileError, SettingsError
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.build.analysis import Analysis, analyze
from heap_assets.pipeline.build.analytics_state import forget_analysis
from heap_assets.pipeline.build.external_data import JoinedTable, join_external
from heap_assets.pipeline.checking import CheckOutcome, check
from heap_assets.pipeline.damage import damage_named
from heap_assets.pipeline.derived_state import DerivedState
from heap_assets.pipeline.inspect.key_check import key_outcomes, refuse_failed_keys
from heap_assets.pipeline.landing.export_identity import export_identity, open_own_export
from heap_assets.pipeline.landing.landing import LAST_LANDING, Landing, LandingOutcome, land
from heap_assets.pipeline.landing.pending import arrivals
from heap_assets.pipeline.landing.recovery import recover_ledger
from heap_assets.pipeline.last_known import keep_known
from heap_assets.pipeline.ledger import Ledger, read_ledger, write_ledger
from heap_assets.pipeline.maintenance import Maintenance, maintain
from heap_assets.pipeline.opening import open_export, open_storage, open_target
from heap_assets.pipeline.progress import Progress
from heap_assets.pipeline.publish.publication import publish
from heap_assets.pipeline.publish.published import KEEP_YOUR_OWN, LAST_PUBLICATION, Publication, refuse_unusable_place
from heap_assets.pipeline.publish.reporting import write_report
from heap_assets.pipeline.registry import Registry, discover_tables, read_registry, write_published
from heap_assets.pipeline.resolve.compaction import with_compacted
from heap_assets.pipeline.resolve.current_tables import CurrentTables, current_tables
from heap_assets.pipeline.resolve.resolution import Resolution, resolve
from heap_assets.pipeline.turns import Turns
from heap_assets.settings import Settings
from heap_assets.sources.source import Source


class Sync:
    """One export, one lake, one published file."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self._progress = progress
        self._configuration: Configuration | None = None
        self._storage: Storage | None = None
        self._resolution: Resolution | None = None
        self._landed = dict[str, LandedTable]()
        self._landed_by: Ledger | None = None
        self._analysis: Analysis | None = None
        self._joined: JoinedTable | None = None
        self._turns = Turns(settings, progress.note, self._forget)

    def _forget(self) -> None:
        """Forget what is known of the lake: somebody else has been at work on it."""
        self._resolution = self._analysis = self._joined = self._landed_by = None
        self._landed = {}

    @contextmanager
    def turn(self, what: str) -> Iterator[None]:
        """Have the lake alone; a ``LakeError`` names who still has it after HEAP_LOCK_WAIT. Turns may be nested."""
        with disk_errors_explained(str(self.settings.home)), self._turns.turn(what), damage_named(self.storage):
            yield

    @property
    def configuration(self) -> Configuration:
        """Return the analytics configuration, read once."""
        if self._configuration is None:
            self._configuration = load_configuration(self.settings.config_path)
        return self._configuration

    @property
    def storage(self) -> Storage:
        """Return the lake's storage."""
        if self._storage is None:
            self._storage = open_storage(self.settings, fence=self._turns.check)
        return self._storage

    def source(self, ledger: Ledger | None = None) -> Source:
        """Return the export; the embedded sample is made if nothing else is configured and it is not there yet.

        Raises:
            SettingsError: The lake holds another export; ``ledger`` is the lake's, if it has been read.
        """
        return open_own_export(self.settings, ledger or self.ledger(), self._progress, self._turns)

    def accept_moved_export(self) -> None:
        """Have the lake hold the export of the settings, which is the one that it holds, in another place."""
        with self.turn("accept"):
            write_ledger(self.storage, replace(self.ledger(), export=export_identity(self.settings)))

    def recover_ledger(self) -> tuple[int, ...]:
        """Begin a new ledger where it is lost; return the dumps in the lake whose manifests are not in the export."""
        with self.turn("recover"):
            return recover_ledger(self.storage, open_export(self.settings), export_identity(self.settings))

    def ledger(self) -> Ledger:
        """Return what has landed."""
        return read_ledger(self.storage)

    def land(self, *, reland: Collection[int] = ()) -> Landing:
        """Land everything that is pending."""
        refuse_unusable_place(self.settings.duckdb_path, self.configuration)
        with self.turn("land"):
            self._forget()
            export, derived, tables = export_identity(self.settings), DerivedState(self.storage), self._landed
            source, storage, progress = self.source(), self.storage, self._progress
            landing = land(source, storage, progress, export=export, derived=derived, reland=reland, tables=tables)
            self._landed_by = landing.ledger
            LAST_LANDING.write(self.storage, landing.outcome())
        return landing

    def last_landing(self) -> LandingOutcome:
        """Return what the last landing left to say."""
        return LAST_LANDING.read(self.storage)

    def current(self) -> CurrentTables:
        """Return the raw tables as they are."""
        ledger = self.ledger()
        landed = self._landed if ledger == self._landed_by else {}  # else another process has landed since
        segments = tuple(segment.name for segment in self.configuration.segments)
        return current_tables(self.storage, ledger, segments=segments, landed=landed)

    def resolve(self, *, rebuild: bool = False) -> Resolution:
        """Resolve everything; with ``rebuild`` from the raw lake alone, which then holds for the analysis too."""
        with self.turn("resolve"):
            self._analysis = self._joined = None
            if rebuild:
                forget_analysis(self.storage)
            current = with_compacted(self.storage, self.current(), self.settings.limits, rebuild=rebuild)
            self._resolution = resolve(self.storage, current, self.settings.limits, rebuild=rebuild)
        return self._resolution

    def resolution(self) -> Resolution:
        """Return what was resolved last by this sync, or resolve now."""
        return self._resolution or self.resolve()

    def analyze(self) -> Analysis:
        """Make the models of heap_analytics and the segments; what nothing changed for stays as it is."""
        with self.turn("analyze"):
            resolution = self.resolution()
            self._analysis = analyze(
                self.storage,
                resolution,
                self.ledger(),
                self.configuration,
                engine=LocalEngine(),
                limits=self.settings.limits,
            )
        for warning in self._analysis.warnings:
            self._progress.note(warning)
        return self._analysis

    def join_external(self) -> JoinedTable:
        """Read the other table of the settings and find out whom its rows are about."""
        if self.settings.external is None:
            raise SettingsError("HEAP_OTHER_TABLE is not set; there is no other table to join.")
        with self.turn("join"):
            analysis = self._analysis or self.analyze()
            self._joined = join_external(self.storage, analysis, self.settings.external)
        for warning in self._joined.warnings:
            self._progress.note(warning)
        return self._joined

    def publish(self) -> Publication:
        """Publish what is resolved and analyzed.

        Raises:
            HeapAssetsError: A table's key does not hold; the published file stays as it was.
        """
        with self.turn("publish"), ThreadPoolExecutor(1) as beside:
            resolution = self.resolution()
            analysis = self._analysis or self.analyze()
            if self.settings.external is not None and self._joined is None:
                self.join_external()
            keys = beside.submit(key_outcomes, self.storage, resolution)

            def refuse() -> None:
                refuse_failed_keys(keys.result())
                self._turns.check()

            publication = publish(
                self.settings.duckdb_path,
                open_target(self.settings),
                storage=self.storage,
                ledger=(ledger := self.ledger()),
                resolution=resolution,
                analysis=analysis,
                joined=self._joined,
                configuration=self.configuration,
                refuse=refuse,
            )
            LAST_PUBLICATION.write(self.storage, publication)
            for what in publication.replaced:
                self._progress.note(f"{publication.path}: {what} is gone; {KEEP_YOUR_OWN}")
            write_published(self.storage, self.configuration, resolution, ledger, publication.about)
            keep_known(self.settings, self.storage)
        return publication

    def report(self) -> Path:
        """Write the report of what is published, and return where it is."""
        publication = self.last_publication()
        if publication is None:
            raise PublishedFileError("nothing has been published yet; run: heap-assets sync")
        return write_report(self.settings, self.configuration, self.storage, publication, now=datetime.now(UTC))

    def last_publication(self) -> Publication | None:
        """Return what was published last."""
        return LAST_PUBLICATION.read(self.storage)

    def maintain(self) -> Maintenance:
        """Remove what neither the lake nor the published file needs any more."""
        path, self._landed = self.settings.duckdb_path, {}  # tables that are open do not see what is removed
        published = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
        with self.turn("maintain"):
            return maintain(self.storage, self.ledger(), published=published, now=datetime.now(UTC))

    def pending(self) -> tuple[tuple[int, ...], dict[int | None, str]]:
        """Return the dumps that wait to be landed, and those whose manifest cannot be read."""
        ledger = self.ledger()
        arrived = arrivals(self.source(ledger), ledger)
        return tuple(arrived.new_dumps(ledger)), arrived.broken()

    def check(self) -> CheckOutcome:
        """Return what there is to say of export and configuration; nothing is run."""
        ledger = self.ledger()
        return check(self.source(ledger), self.storage, ledger, self.configuration)

    def discover(self) -> None:
        """Put the tables that the manifests name into the registry, so that a first run knows them beforehand."""
        refuse_unusable_place(self.settings.duckdb_path, self.configuration)
        with self.turn("discover"):
            ledger = self.ledger()
            new = arrivals(self.source(ledger), ledger).new_dumps(ledger)
            discover_tables(self.storage, self.configuration, new.values(), self.current)
            keep_known(self.settings, self.storage)

    def registry(self) -> Registry:
        """Return the tables and segments that an earlier run has seen."""
        return read_registry(self.storage)
