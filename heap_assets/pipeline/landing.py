"""Landing: pending dumps into the lake, in order, each delivery committed by itself.

A run takes every dump that has arrived, up to the first that cannot be taken; a file that a later full resync voids is
not opened. What a run takes is decided against the ledger and the committed deliveries, so that a crash costs at most
the delivery that was being written. Here: which deliveries to land, and the ledger after. Not here: decoding.
"""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from heap_assets.errors import HeapAssetsError, LakeError, ManifestError, ObjectMissingError, UnreadableFileError
from heap_assets.export.manifest import Delivery, Dump, content_digest, read_manifest
from heap_assets.export.property_definitions import parse_definitions
from heap_assets.export.source import Source
from heap_assets.export.truth import DumpDelivery, current_deliveries
from heap_assets.lake.landed_table import LandedTable, NewFile
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.decoding import Decoder, WrittenGroup
from heap_assets.pipeline.ledger import Ledger, read_ledger, write_ledger
from heap_assets.pipeline.pending import Arrivals, arrivals
from heap_assets.pipeline.progress import Progress

if TYPE_CHECKING:
    from datetime import datetime

_COMMITTERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DumpFailure:
    """A dump that could not be taken, and why; later dumps wait for it. No id: a manifest that names none."""

    dump_id: int | None
    reason: str


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


def land(source: Source, storage: Storage, progress: Progress, *, reland: Collection[int] = ()) -> Landing:
    """Take every pending dump that can be taken; of the dumps in ``reland`` read every needed file again."""
    return _Run(source, storage, progress).land(set(reland))


class _Run:
    """One landing: what is pending, taken as far as it goes."""

    def __init__(self, source: Source, storage: Storage, progress: Progress) -> None:
        self._source, self._storage, self._progress = source, storage, progress
        self._ledger = read_ledger(storage)
        self._tables: dict[str, LandedTable] = {}
        self._rows: dict[tuple[str, int], int] = {}
        self._failures: dict[int | None, str] = {}

    def land(self, reland: set[int]) -> Landing:
        arrived = arrivals(self._source, self._ledger)
        self._failures.update(arrived.broken())
        new = self._dated(arrived.new_dumps(self._ledger))
        with Decoder(self._source) as decoder:
            accepted = self._landed(new, reland & set(self._ledger.dumps), decoder)
        taken = tuple(dump_id for dump_id, dump in new.items() if accepted.get(dump_id) is dump)
        self._remember(accepted, arrived, taken)
        return Landing(
            ledger=self._ledger,
            rows=self._rows,
            stored_rows={
                table: sum(file.rows for file in self._table(table).files())
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
                raise LakeError(f"{self._failures[failed]} It had landed before, but the lake has lost it.")
            reland.discard(failed)
            limit = failed if limit is None else min(limit, failed)

    def _land_missing(self, accepted: Iterable[Dump], reland: set[int], decoder: Decoder) -> int | None:
        """Land what these dumps need and the lake lacks; return the first that fails, all its tables tried."""
        by_dump: dict[int, list[DumpDelivery]] = {}
        for item in self._missing(accepted, reland):
            by_dump.setdefault(item.dump.dump_id, []).append(item)
        files = sum(item.delivery.file_count for items in by_dump.values() for item in items)
        self._progress.planned(dumps=len(by_dump), files=files)
        for dump_id, items in sorted(by_dump.items()):
            try:
                self._land_dump(items[0].dump, {item.delivery.table for item in items}, decoder)
            except HeapAssetsError as error:
                self._failures[dump_id] = str(error)
                return dump_id
        return None

    def _missing(self, accepted: Iterable[Dump], reland: set[int]) -> list[DumpDelivery]:
        """Return the deliveries that make up the tables and are not committed; only changed tables are looked at."""
        landed = {
            (item.delivery.table, item.dump.delivery_id)
            for items in current_deliveries(self._ledger.dumps.values()).values()
            for item in items
        }
        return [
            item
            for table, items in current_deliveries(accepted).items()
            for item in items
            if item.delivery.file_count
            and (table, item.dump.dump_id) not in self._rows
            and (
                item.dump.dump_id in reland
                or (
                    (table, item.dump.delivery_id) not in landed
                    and item.dump.delivery_id not in self._table(table).deliveries()
                )
            )
        ]

    def _land_dump(self, dump: Dump, tables: Collection[str], decoder: Decoder) -> None:
        dump = self._with_files(dump)
        problems: list[str] = []
        started: list[tuple[Delivery, list[Future[WrittenGroup]]]] = []
        for delivery in dump.deliveries:
            if delivery.table not in tables:
                continue
            try:
                keys = [self._source.root_of(file, dump.dump_id) for file in delivery.files]
                started.append((delivery, decoder.start(dump, delivery, keys, self._table(delivery.table))))
            except HeapAssetsError as error:
                problems.append(f"table {delivery.table}: {error}")
        with ThreadPoolExecutor(_COMMITTERS) as committers:
            commits = []
            for delivery, groups in started:
                try:
                    written = self._written(dump, delivery, groups)
                except HeapAssetsError as error:
                    problems.append(f"table {delivery.table}: {error}")
                else:
                    table = self._table(delivery.table)
                    commits.append((delivery, committers.submit(_committed, table, dump, written)))
            for delivery, commit in commits:
                rows = commit.result()
                self._rows[delivery.table, dump.dump_id] = rows
                self._progress.delivery_landed(table=delivery.table, dump_id=dump.dump_id, rows=rows)
        if problems:
            raise UnreadableFileError(
                f"Dump {dump.dump_id}, {'; '.join(problems)}. Nothing of this dump is published, and later dumps wait."
                " Put it right, or have Heap resync the table, and sync again."
            )

    def _written(self, dump: Dump, delivery: Delivery, groups: list[Future[WrittenGroup]]) -> list[NewFile]:
        written = []
        for group in groups:
            result = group.result()
            written.append(result.file)
            self._progress.files_landed(
                table=delivery.table, dump_id=dump.dump_id, files=result.files, rows=result.rows, size=result.size
            )
        return written

    def _table(self, name: str) -> LandedTable:
        return self._tables.setdefault(name, LandedTable(self._storage, name))

    def _with_files(self, dump: Dump) -> Dump:
        """Return the dump with its file lists, which the ledger leaves to the manifest."""
        if all(len(delivery.files) == delivery.file_count for delivery in dump.deliveries):
            return dump
        content = read_manifest(self._source.read(dump.manifest_key), key=dump.manifest_key, modified=dump.modified)
        if content.digest != dump.digest:
            raise LakeError(f"Dump {dump.dump_id}: {dump.manifest_key} changed meanwhile. Sync again.")
        return content

    def _dated(self, dumps: Mapping[int, Dump]) -> dict[int, Dump]:
        """Return the dumps with the time of the earliest file of each delivery; a file that is gone has none."""
        dated = {}
        for dump_id, dump in dumps.items():
            try:
                dated[dump_id] = self._with_file_times(dump)
            except ManifestError as error:
                self._failures[dump_id] = f"Dump {dump_id}, {dump.manifest_key}: {error}"
        return dated

    def _with_file_times(self, dump: Dump) -> Dump:
        modified: dict[str, datetime] = {}
        keys = {
            file: self._source.root_of(file, dump.dump_id) for delivery in dump.deliveries for file in delivery.files
        }
        for folder in sorted({key.partition("/")[0] for key in keys.values()}):
            modified.update({found.key: found.modified for found in self._source.objects(f"{folder}/")})
        deliveries = []
        for delivery in dump.deliveries:
            times = [modified[keys[file]] for file in delivery.files if keys[file] in modified]
            deliveries.append(replace(delivery, first_file_modified=min(times, default=None)))
        return replace(dump, deliveries=tuple(deliveries))

    def _remember(self, accepted: Mapping[int, Dump], arrived: Arrivals, taken: tuple[int, ...]) -> None:
        """Write the ledger if anything changed: from here on the taken dumps count."""
        definitions = {dump_id: digest for dump_id, digest in self._ledger.definitions.items() if dump_id not in taken}
        texts = dict(self._ledger.definition_texts)
        for dump_id in taken:
            if text := self._definitions(accepted[dump_id]):
                definitions[dump_id] = content_digest(text)
                texts[definitions[dump_id]] = text
        ledger = Ledger(
            dumps=accepted,
            manifests=arrived.manifests,
            reports=arrived.reports,
            definitions=definitions,
            definition_texts={digest: texts[digest] for digest in sorted(set(definitions.values()))},
        )
        if ledger != self._ledger:
            write_ledger(self._storage, ledger)
        self._ledger = ledger

    def _definitions(self, dump: Dump) -> str | None:
        """Return the text of a dump's property definitions; None if there is no readable file, which is no failure."""
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


def _committed(table: LandedTable, dump: Dump, written: list[NewFile]) -> int:
    return table.commit(dump.delivery_id, written, dump_id=dump.dump_id)
