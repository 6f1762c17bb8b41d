"""Landing: pending dumps into the lake, in order, each delivery committed by itself.

A run takes every dump that has arrived, up to the first that cannot be taken; a file that a later full resync voids is
not opened. What a run takes is decided against the ledger and the committed deliveries, so that a crash costs at most
the delivery that was being written. Here: which dumps to land, and the ledger after. Not here: what the lake has of
them (held_deliveries.py), one dump (begun_dump.py), its files (decoding.py).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from heap_assets.errors import HeapAssetsError, LakeError, ManifestError, ObjectMissingError, UnreadableFileError
from heap_assets.lake.landed_table import LandedTable
from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.landing.begun_dump import BegunDump, begun_dump
from heap_assets.pipeline.landing.decoding import Decoder
from heap_assets.pipeline.landing.held_deliveries import Derived, HeldDeliveries
from heap_assets.pipeline.landing.pending import Arrivals, arrivals
from heap_assets.pipeline.landing.recovery import claimed
from heap_assets.pipeline.ledger import Ledger, read_ledger, write_ledger
from heap_assets.pipeline.progress import Progress
from heap_assets.sources.heap.dump_files import with_file_times
from heap_assets.sources.heap.manifest import Dump, content_digest
from heap_assets.sources.heap.property_definitions import parse_definitions
from heap_assets.sources.source import Source

if TYPE_CHECKING:
    from heap_assets.sources.heap.truth import DumpDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpFailure:
    """A dump that could not be taken, and why; later dumps wait for it. No id: a manifest that names none."""

    dump_id: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LandingOutcome:
    """What the last landing left to say: kept with the lake, so that a later step or process can tell it."""

    taken: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    failures: tuple[DumpFailure, ...] = ()
    rows: tuple[tuple[str, int, int], ...] = ()


LAST_LANDING = Part("landing", TypeAdapter(LandingOutcome), without=LandingOutcome())


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What a landing did: rows by table and dump, the dumps it took, those that wait, and what is in their way.

    ``stored_rows`` are all the rows that the lake holds of the tables that got some, void ones included.
    """

    ledger: Ledger
    rows: Mapping[tuple[str, int], int] = field(default_factory=dict)
    stored_rows: Mapping[str, int] = field(default_factory=dict)
    taken: tuple[int, ...] = ()
    waiting: tuple[int, ...] = ()
    failures: tuple[DumpFailure, ...] = ()

    def outcome(self) -> LandingOutcome:
        """Return what there is to say of it later."""
        rows = tuple((table, dump_id, rows) for (table, dump_id), rows in self.rows.items())
        return LandingOutcome(taken=self.taken, waiting=self.waiting, failures=self.failures, rows=rows)


def land(
    source: Source,
    storage: Storage,
    progress: Progress,
    *,
    export: str,
    derived: Derived,
    reland: Collection[int] = (),
    tables: dict[str, LandedTable] | None = None,
) -> Landing:
    """Take every pending dump that can be taken; of the dumps in ``reland`` read every needed file again.

    ``export`` is recorded as what the lake holds (export_identity.py); ``derived`` is forgotten where raw tables are
    mended; ``tables`` gets the tables that were looked at: opening one again costs 10 ms.
    """
    if note := derived.begin_again():
        progress.note(note)
    run = _Run(source, storage, progress, export, tables={} if tables is None else tables, derived=derived)
    return run.land(set(reland))


class _Run:
    """One landing: what is pending, taken as far as it goes."""

    def __init__(
        self,
        source: Source,
        storage: Storage,
        progress: Progress,
        export: str,
        *,
        tables: dict[str, LandedTable],
        derived: Derived,
    ) -> None:
        self._source, self._storage, self._progress, self._tables = source, storage, progress, tables
        self._before = read_ledger(storage)
        self._ledger = claimed(self._before, storage, export)
        self._held = HeldDeliveries(storage, self._ledger, progress, tables=tables, derived=derived)
        self._rows: dict[tuple[str, int], int] = {}
        self._failures: dict[int | None, str] = {}

    def land(self, reland: set[int]) -> Landing:
        arrived = arrivals(self._source, self._ledger)
        self._failures.update(arrived.broken())
        new = self._dated(arrived.new_dumps(self._ledger))
        reland &= set(self._ledger.dumps)
        if self._ledger.outdated:
            reland = {*self._ledger.dumps, *new}
            self._progress.note(f"the lake is of an earlier version: {len(reland)} dumps are read again for it")
        with Decoder(self._source) as decoder:
            accepted = self._landed(new, reland, decoder)
        taken = tuple(dump_id for dump_id, dump in new.items() if accepted.get(dump_id) is dump)
        self._remember(accepted, arrived, taken)
        for table in self._tables.values():
            table.remember()
        return Landing(
            ledger=self._ledger,
            rows=self._rows,
            stored_rows={
                table: sum(file.rows for file in self._held.table(table).files())
                for table in {table for table, _ in self._rows}
            },
            taken=taken,
            waiting=tuple(sorted(set(new) - set(taken))),
            failures=tuple(DumpFailure(dump_id=dump_id, reason=why) for dump_id, why in self._failures.items()),
        )

    def _landed(self, new: Mapping[int, Dump], reland: set[int], decoder: Decoder) -> dict[int, Dump]:
        """Land what the dumps up to the first failing one need, and return the dumps that count then.

        A dump that fails makes those from it on wait, and then a file may be needed after all that one of them would
        have voided; so this goes on until nothing fails.
        """
        limit = min((dump_id for dump_id in self._failures if dump_id is not None), default=None)
        while True:
            taken = {dump_id: dump for dump_id, dump in new.items() if limit is None or dump_id < limit}
            accepted = dict(sorted({**self._ledger.dumps, **taken}.items()))
            failed = self._land_missing(accepted.values(), reland, decoder)
            if failed is None:
                return accepted
            if failed not in reland and limit is not None and failed >= limit:
                raise LakeError(
                    f"{self._failures[failed]} It had landed before, but the lake has lost it:"
                    f" {self._held.lost(failed)}. Restore that from a backup, or the dump's files in the export; then"
                    " run: heap-assets sync"
                )
            reland.discard(failed)
            limit = failed if limit is None else min(limit, failed)

    def _land_missing(self, accepted: Iterable[Dump], reland: set[int], decoder: Decoder) -> int | None:
        """Land what these dumps need and the lake lacks; return the first that fails, all its tables tried.

        A dump is begun before the one ahead of it is committed, so that commits and decoding go on side by side.
        """
        by_dump: dict[int, list[DumpDelivery]] = {}
        for item in self._held.missing(accepted, reland=reland, done=self._rows):
            by_dump.setdefault(item.dump.dump_id, []).append(item)
        files = sum(item.delivery.file_count for items in by_dump.values() for item in items)
        self._progress.planned(dumps=len(by_dump), files=files)
        ahead: BegunDump | None = None
        for _, items in sorted(by_dump.items()):
            tables = {item.delivery.table: self._held.table(item.delivery.table) for item in items}
            begun = begun_dump(self._source, decoder, items[0].dump, tables)
            if ahead is not None and not self._finished(ahead):
                begun.cancel()
                return ahead.dump.dump_id
            ahead = begun
        return None if ahead is None or self._finished(ahead) else ahead.dump.dump_id

    def _finished(self, begun: BegunDump) -> bool:
        """Commit a dump's deliveries as they are decoded; return whether all could be."""
        try:
            for table, rows in begun.committed(self._progress):
                self._rows[table, begun.dump.dump_id] = rows
        except HeapAssetsError as error:
            self._failures[begun.dump.dump_id] = str(error)
            return False
        return True

    def _dated(self, dumps: Mapping[int, Dump]) -> dict[int, Dump]:
        """Return the dumps with the time of the earliest file of each delivery; a file that is gone has none."""
        dated = {}
        for dump_id, dump in dumps.items():
            try:
                dated[dump_id] = with_file_times(self._source, dump)
            except ManifestError as error:
                self._failures[dump_id] = f"Dump {dump_id}, {dump.manifest_key}: {error}"
        return dated

    def _remember(self, accepted: Mapping[int, Dump], arrived: Arrivals, taken: tuple[int, ...]) -> None:
        """Write the ledger if anything changed: from here on the taken dumps count."""
        definitions = {dump_id: digest for dump_id, digest in self._ledger.definitions.items() if dump_id not in taken}
        texts = dict(self._ledger.definition_texts)
        for dump_id in taken:
            if text := self._definitions(accepted[dump_id]):
                definitions[dump_id] = content_digest(text)
                texts[definitions[dump_id]] = text
        ledger = Ledger(
            export=self._ledger.export,
            dumps=accepted,
            manifests=arrived.manifests,
            reports=arrived.reports,
            definitions=definitions,
            definition_texts={digest: texts[digest] for digest in sorted(set(definitions.values()))},
        )
        if ledger != self._before:
            self._held.settle(accepted.values(), taken, done=self._rows)
            write_ledger(self._storage, ledger)
        self._ledger = ledger

    def _definitions(self, dump: Dump) -> str | None:
        """Return the text of a dump's property definitions; None without a readable file, which is not a failure."""
        if dump.property_definitions is None:
            return None
        try:
            key = self._source.root_of(dump.property_definitions, dump.dump_id)
            text = self._source.read(key).decode("utf-8", "replace")
            parse_definitions(text)
        except (ManifestError, ObjectMissingError, UnreadableFileError) as error:
            self._progress.note(f"dump {dump.dump_id}: property definitions left out: {error}")
            return None
        return text
