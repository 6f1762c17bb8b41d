"""A dump on its way into the lake: its files surveyed, being decoded, committed table by table.

Here: one dump, and everything that is wrong with it in one error. Not here: which dumps and tables (landing.py).
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from heap_assets.errors import HeapAssetsError, UnreadableFileError
from heap_assets.lake.landed_table import LandedTable
from heap_assets.pipeline.landing.decoding import Decoder, WrittenGroup
from heap_assets.pipeline.progress import Progress
from heap_assets.sources.heap.dump_files import with_files
from heap_assets.sources.heap.manifest import Delivery, Dump
from heap_assets.sources.source import Source

_COMMITTERS = 2
_Groups = list["Future[WrittenGroup]"]


def begun_dump(source: Source, decoder: Decoder, dump: Dump, tables: Mapping[str, LandedTable]) -> "BegunDump":
    """Survey these tables of a dump and begin to decode them; what is wrong is told when it is to be committed."""
    try:
        begun = BegunDump(with_files(source, dump), tables)
    except HeapAssetsError as error:
        return BegunDump(dump, tables, error=error)
    for delivery in begun.dump.deliveries:
        if delivery.table not in tables:
            continue
        try:
            keys = [source.root_of(file, dump.dump_id) for file in delivery.files]
            begun.deliveries.append((delivery, decoder.start(begun.dump, delivery, keys, tables[delivery.table])))
        except HeapAssetsError as error:
            begun.problems.append(f"table {delivery.table}: {error}")
    return begun


@dataclass(frozen=True, slots=True)
class BegunDump:
    """A dump whose files are being decoded, and what is known to be wrong with it."""

    dump: Dump
    tables: Mapping[str, LandedTable]
    deliveries: list[tuple[Delivery, _Groups]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    error: HeapAssetsError | None = None

    def cancel(self) -> None:
        """Leave the rest of it: a dump before it cannot be taken."""
        for _, groups in self.deliveries:
            for group in groups:
                group.cancel()

    def committed(self, progress: Progress) -> Iterator[tuple[str, int]]:
        """Commit each table when it is decoded, and yield all names and rows, by name.

        Raises:
            HeapAssetsError: Something is wrong with the dump; every table that could be has been committed.
        """
        if self.error is not None:
            raise self.error
        failed: dict[str, str] = {}
        commits: dict[str, Future[int]] = {}
        with ThreadPoolExecutor(_COMMITTERS) as committers:
            for delivery, groups in self._as_decoded():
                try:
                    written = self._written(delivery, groups, progress)
                except UnreadableFileError as error:
                    failed[delivery.table] = f"table {delivery.table}: {error}"
                else:
                    commits[delivery.table] = committers.submit(self._commit, delivery, written)
            for table, commit in sorted(commits.items()):
                rows = commit.result()
                progress.delivery_landed(table=table, dump_id=self.dump.dump_id, rows=rows)
                yield table, rows
        if problems := [*self.problems, *(failed[table] for table in sorted(failed))]:
            raise UnreadableFileError(
                f"Dump {self.dump.dump_id}, {'; '.join(problems)}. Nothing of this dump is published, and later dumps"
                " wait. Put it right, or have Heap resync the table, and sync again."
            )

    def _as_decoded(self) -> Iterator[tuple[Delivery, _Groups]]:
        """Yield the deliveries as they are decoded: the largest does not keep those after it from being committed."""
        of = {group: place for place, (_, groups) in enumerate(self.deliveries) for group in groups}
        left = [len(groups) for _, groups in self.deliveries]
        yield from (item for item, groups in zip(self.deliveries, left, strict=True) if not groups)
        for group in as_completed(of):
            left[of[group]] -= 1
            if not left[of[group]]:
                yield self.deliveries[of[group]]

    def _written(self, delivery: Delivery, groups: _Groups, progress: Progress) -> list[WrittenGroup]:
        written = []
        for group in groups:
            result = group.result()
            written.append(result)
            progress.files_landed(
                table=delivery.table,
                dump_id=self.dump.dump_id,
                files=result.files,
                rows=result.file.rows,
                size=result.size,
            )
        return written

    def _commit(self, delivery: Delivery, written: list[WrittenGroup]) -> int:
        files = [group.file for group in written]
        return self.tables[delivery.table].commit(self.dump.delivery_id, files, dump_id=self.dump.dump_id)
