"""A sync: land, resolve, analyze, publish, report. What the Dagster assets and the command line both do.

Here: the steps on one set of settings, each safe to repeat, each in a turn of its own, so that no other sync is at
work on the lake meanwhile. Not here: turns (turns.py), Dagster, terminals.
"""

import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from heap_assets.catalog import DROPPED_TABLES
from heap_assets.config.load import load_configuration
from heap_assets.config.model import Configuration
from heap_assets.errors import SettingsError
from heap_assets.export.opening import open_source
from heap_assets.export.sample.export import write_sample
from heap_assets.export.sample.size import embedded_size
from heap_assets.export.source import Source
from heap_assets.export.truth import tables_with_files
from heap_assets.lake.memory import Memory
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.analysis import Analysis, analyze
from heap_assets.pipeline.analytics_state import forget_analysis
from heap_assets.pipeline.checking import CheckOutcome, check
from heap_assets.pipeline.configured_events import configured_events
from heap_assets.pipeline.current import CurrentTables, current_tables
from heap_assets.pipeline.key_check import key_outcomes, refuse_failed_keys
from heap_assets.pipeline.landing import Landing, LandingOutcome, land
from heap_assets.pipeline.last_known import keep_known
from heap_assets.pipeline.ledger import Ledger, read_ledger
from heap_assets.pipeline.maintenance import Maintenance, maintain
from heap_assets.pipeline.opening import open_storage
from heap_assets.pipeline.other_data import JoinedTable, join_other
from heap_assets.pipeline.packing import with_packs
from heap_assets.pipeline.pending import arrivals
from heap_assets.pipeline.progress import Progress
from heap_assets.pipeline.publication import Publication, publish
from heap_assets.pipeline.registry import KnownTable, Registry, read_registry, registry_of, write_registry
from heap_assets.pipeline.reporting import write_report
from heap_assets.pipeline.resolution import Resolution, resolve
from heap_assets.pipeline.retired import retired_tables
from heap_assets.pipeline.sync_tables import system_table
from heap_assets.pipeline.turns import Turns
from heap_assets.settings import Settings

if TYPE_CHECKING:
    from heap_assets.lake.landed_table import LandedTable

_LAST_LANDING = Memory("landing.json", TypeAdapter(LandingOutcome), without=LandingOutcome())
_LAST_PUBLICATION: Memory[Publication | None] = Memory("published.json", TypeAdapter(Publication | None), without=None)


class Sync:
    """One export, one lake, one published file."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self._progress = progress
        self._configuration: Configuration | None = None
        self._storage: Storage | None = None
        self._resolution: Resolution | None = None
        self._landed: dict[str, LandedTable] = {}
        self._landed_by: Ledger | None = None
        self._analysis: Analysis | None = None
        self._joined: JoinedTable | None = None
        self._turns = Turns(settings, progress.note, self._forget)

    def _forget(self) -> None:
        """Forget what is known of the lake: somebody else has been at work on it."""
        self._resolution = self._analysis = self._joined = self._landed_by = None
        self._landed = {}

    def turn(self, what: str) -> AbstractContextManager[None]:
        """Have the lake alone; a ``LakeError`` names who still has it after HEAP_LOCK_WAIT. Turns may be nested."""
        return self._turns.turn(what)

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

    def source(self) -> Source:
        """Return the export; the embedded sample is made if nothing else is configured and it is not there yet."""
        if self.settings.export_uri is None and not (self.settings.sample_path / "manifests").exists():
            self._progress.note(f"no HEAP_EXPORT_URI: making a sample export in {self.settings.sample_path}")
            self._make_sample()
        return open_source(self.settings.source_uri, access=self.settings.aws)

    def _make_sample(self) -> None:
        """Make the sample beside its place: one that a killed run left unfinished would be taken for whole."""
        with self._turns.at_home("sample"), tempfile.TemporaryDirectory(dir=self.settings.home) as beside:
            write_sample(Path(beside) / "sample", embedded_size(datetime.now(UTC)))
            if not self.settings.sample_path.exists():
                (Path(beside) / "sample").rename(self.settings.sample_path)

    def ledger(self) -> Ledger:
        """Return what has landed."""
        return read_ledger(self.storage)

    def land(self, *, reland: Collection[int] = ()) -> Landing:
        """Land everything that is pending."""
        source = self.source()
        with self.turn("land"):
            self._forget()
            landing = land(source, self.storage, self._progress, reland=reland, tables=self._landed)
            self._landed_by = landing.ledger
            _LAST_LANDING.write(self.storage, landing.outcome())
        return landing

    def last_landing(self) -> LandingOutcome:
        """Return what the last landing left to say."""
        return _LAST_LANDING.read(self.storage)

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
            current = with_packs(self.storage, self.current(), rebuild=rebuild)
            self._resolution = resolve(self.storage, current, rebuild=rebuild)
        return self._resolution

    def resolution(self) -> Resolution:
        """Return what was resolved last by this sync, or resolve now."""
        return self._resolution or self.resolve()

    def analyze(self) -> Analysis:
        """Make the models of heap_analytics and the segments; what nothing changed for stays as it is."""
        with self.turn("analyze"):
            resolution = self.resolution()
            self._analysis = analyze(
                self.storage, resolution, self.ledger(), self.configuration, memory_gib=self.settings.memory_gib
            )
        for warning in self._analysis.warnings:
            self._progress.note(warning)
        return self._analysis

    def join_other(self) -> JoinedTable:
        """Read the other table of the settings and find out whom its rows are about."""
        if self.settings.other is None:
            raise SettingsError("HEAP_OTHER_TABLE is not set; there is no other table to join.")
        with self.turn("join"):
            analysis = self._analysis or self.analyze()
            self._joined = join_other(self.storage, analysis, self.settings.other)
        return self._joined

    def publish(self) -> Publication:
        """Publish what is resolved and analyzed.

        Raises:
            HeapAssetsError: A table's key does not hold; the published file stays as it was.
        """
        with self.turn("publish"), ThreadPoolExecutor(1) as beside:
            resolution = self.resolution()
            analysis = self._analysis or self.analyze()
            if self.settings.other is not None and self._joined is None:
                self.join_other()
            keys = beside.submit(key_outcomes, self.storage, resolution)

            def refuse() -> None:
                refuse_failed_keys(keys.result())
                self._turns.check()

            ledger = self.ledger()
            publication = publish(
                self.settings.duckdb_path,
                storage=self.storage,
                ledger=ledger,
                resolution=resolution,
                analysis=analysis,
                joined=self._joined,
                configuration=self.configuration,
                as_tables=self.settings.facts_as == "tables",
                refuse=refuse,
            )
            _LAST_PUBLICATION.write(self.storage, publication)
            names = resolution.current.names.in_s
            retired = retired_tables(ledger.dumps.values(), system_table(DROPPED_TABLES.kind, resolution))
            tables = []
            for name in resolution.tables:
                about, renamed = publication.about.get(names[name], ""), "" if names[name] == name else names[name]
                tables.append(KnownTable(name=name, about=about, published=renamed, retired=retired.get(name, "")))
            events = configured_events(self.configuration, resolution.current)
            write_registry(self.storage, registry_of(tables, self.configuration, events))
            keep_known(self.settings, self.storage)
        return publication

    def report(self) -> Path:
        """Write the report of what is published, and return where it is."""
        return write_report(self.settings, self.configuration, now=datetime.now(UTC))

    def last_publication(self) -> Publication | None:
        """Return what was published last."""
        return _LAST_PUBLICATION.read(self.storage)

    def maintain(self) -> Maintenance:
        """Remove what neither the lake nor the published file needs any more."""
        path = self.settings.duckdb_path
        published = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
        with self.turn("maintain"):
            return maintain(self.storage, self.ledger(), published=published, now=datetime.now(UTC))

    def pending(self) -> tuple[tuple[int, ...], dict[int | None, str]]:
        """Return the dumps that wait to be landed, and those whose manifest cannot be read."""
        ledger = self.ledger()
        arrived = arrivals(self.source(), ledger)
        return tuple(arrived.new_dumps(ledger)), arrived.broken()

    def check(self) -> CheckOutcome:
        """Return what there is to say of export and configuration; nothing is run."""
        return check(self.source(), self.storage, self.ledger(), self.configuration)

    def discover(self) -> None:
        """Put the tables that the manifests name into the registry, so that a first run knows them beforehand."""
        source = self.source()
        with self.turn("discover"):
            ledger = self.ledger()
            named = tables_with_files(arrivals(source, ledger).new_dumps(ledger).values())
            tables = {name: KnownTable(name=name) for name in named}
            tables.update({table.name: table for table in self.registry().tables})
            events = configured_events(self.configuration, self.current(), more=named)
            write_registry(self.storage, registry_of(tables.values(), self.configuration, events))
            keep_known(self.settings, self.storage)

    def registry(self) -> Registry:
        """Return the tables and segments that an earlier run has seen."""
        return read_registry(self.storage)
