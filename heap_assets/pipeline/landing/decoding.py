"""One delivery's files into Parquet: surveyed in order, decoded side by side.

Files of one schema go together into one Parquet file, up to a size, so that many small files do not become many small
files again. Row ids are given out before decoding, from the row counts of the Avro headers, so the order of rows is the
manifest's whatever thread is faster. Memory: two groups are decoded at a time, each in batches.
Here: decoding. Not here: committing, and which deliveries are needed (landing.py).
"""

import json
import threading
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from heap_assets.errors import HeapAssetsError, UnreadableFileError
from heap_assets.lake.landed_table import LandedTable, NewFile
from heap_assets.lake.listing import LandedFile
from heap_assets.lake.parquet_footer import Footer, footer_of
from heap_assets.lake.storage import COMPRESSION, Storage
from heap_assets.schema.heap_tables import EVENT_METADATA, RawTable, raw_table
from heap_assets.schema.stored_columns import DELIVERED_FILES, DUMP_ID, ROW_ID
from heap_assets.sources.heap import json_rows, tolerant
from heap_assets.sources.heap.avro import survey as avro
from heap_assets.sources.heap.avro.proof import NotFastError
from heap_assets.sources.heap.manifest import Delivery, Dump
from heap_assets.sources.source import Source
from heap_assets.transforms.storing import stored

_GROUP_BYTES = 16 * 2**20
_GROUP_FILES = 2_000
_GROUPS_AHEAD = 4
_ROW_GROUP_ROWS = 250_000
_READER_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedFile:
    """A listed file that is here and has an order: ``first_row_id`` is that of its first row."""

    listed: str
    size: int
    first_row_id: int
    rows: int
    avro: avro.AvroFile | None
    json: bytes | None


@dataclass(slots=True)
class FileGroup:
    """Files that are decoded together; ``local`` keeps their local copies until then."""

    files: list[SurveyedFile] = field(default_factory=list)
    local: ExitStack = field(default_factory=ExitStack)

    def takes(self, file: SurveyedFile) -> bool:
        """Return whether the file can be decoded together with those that are here."""
        if not self.files:
            return True
        last = self.files[-1]
        alike = last.avro is not None and file.avro is not None and last.avro.schema_text == file.avro.schema_text
        fits = sum(known.size for known in self.files) + file.size <= _GROUP_BYTES and len(self.files) < _GROUP_FILES
        return alike and fits and last.avro is not None and last.avro.is_ordinary == file.avro.is_ordinary  # type: ignore[union-attr]


@dataclass(frozen=True, slots=True)
class WrittenGroup:
    """A Parquet file of a delivery that was kept, and how many files of how many bytes went into it."""

    file: LandedFile
    files: int
    size: int


class Decoder:
    """Decodes deliveries with a few threads; the readers and writers release Python's lock."""

    def __init__(self, source: Source, *, threads: int = 4) -> None:
        self._source = source
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._ahead = threading.BoundedSemaphore(threads + _GROUPS_AHEAD)

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(
        self, dump: Dump, delivery: Delivery, keys: Sequence[str], landed: LandedTable
    ) -> list["Future[WrittenGroup]"]:
        """Survey a delivery's files and begin to decode them; the results are in the files' order.

        Raises:
            HeapAssetsError: A file is missing, cut short or no Avro; names it.
        """
        started: list[Future[WrittenGroup]] = []
        table = raw_table(delivery.table)
        try:
            for group in self._groups(delivery, keys, table, landed.next_row_id()):
                place = landed.new_file(dump.delivery_id, uuid.uuid4().hex, group.files[0].first_row_id)
                self._ahead.acquire()
                future = self._pool.submit(_write, group, place, landed.storage, table, dump.dump_id)
                future.add_done_callback(partial(self._let_go, group))
                started.append(future)
                last = group.files[-1]
                landed.reserve(last.first_row_id + last.rows)
        except HeapAssetsError:
            for future in started:
                future.cancel()
            raise
        return started

    def _groups(
        self, delivery: Delivery, keys: Sequence[str], table: RawTable, first_row_id: int
    ) -> Iterator[FileGroup]:
        group = FileGroup()
        for listed, key in zip(delivery.files, keys, strict=True):
            local = ExitStack()
            path = local.enter_context(self._source.local_copy(key))
            try:
                file = _surveyed(listed, path, table, first_row_id)
            except UnreadableFileError as error:
                local.close()
                group.local.close()
                raise UnreadableFileError(f"file {listed} {error}") from error
            first_row_id += file.rows
            if not group.takes(file):
                yield group
                group = FileGroup()
            group.files.append(file)
            group.local.push(local.pop_all())
        if group.files:
            yield group

    def _let_go(self, group: FileGroup, _: object) -> None:
        """Make room for another group, whether this one was decoded, failed or was never begun."""
        group.local.close()
        self._ahead.release()


def _write(group: FileGroup, place: NewFile, storage: Storage, table: RawTable, dump_id: int) -> WrittenGroup:
    file = place.kept(storage, _written_group(group.files, place, table, dump_id))
    return WrittenGroup(file, files=len(group.files), size=sum(file.size for file in group.files))


def _surveyed(listed: str, path: Path, table: RawTable, first_row_id: int) -> SurveyedFile:
    """Return what is known of a file before it is decoded; JSON is taken where Heap may send it."""
    size = path.stat().st_size
    if table is EVENT_METADATA and not _is_avro(path):
        content = path.read_bytes()
        rows = json_rows.json_row_count(content)
        return SurveyedFile(listed=listed, size=size, first_row_id=first_row_id, rows=rows, avro=None, json=content)
    file = avro.survey(path)
    missing = [column for column in table.must_have if column not in {name for name, _ in file.fields}]
    if missing and file.rows:
        raise UnreadableFileError(f"lacks the column {missing[0]!r}, which {table.kind} must have")
    return SurveyedFile(listed=listed, size=size, first_row_id=first_row_id, rows=file.rows, avro=file, json=None)


def _is_avro(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(avro.MAGIC)) == avro.MAGIC


def _written_group(files: Sequence[SurveyedFile], place: NewFile, table: RawTable, dump_id: int) -> Footer:
    """Write a group with the fast reader where it can, else with the tolerant one, which says what is wrong.

    Raises:
        UnreadableFileError: A file is damaged or beyond the limits; names it.
    """
    ordinary = [file.avro for file in files if file.avro is not None and file.avro.is_ordinary]
    if len(ordinary) == len(files):
        try:
            return _sunk([(tolerant.fast_scanned(ordinary), files[0].first_row_id)], files, place, table, dump_id)
        except (NotFastError, *_READER_ERRORS):
            pass
    try:
        return _sunk([(_tolerantly(file), file.first_row_id) for file in files], files, place, table, dump_id)
    except (UnreadableFileError, *_READER_ERRORS) as error:
        raise _culprit(files, error) from error


def _tolerantly(file: SurveyedFile) -> tolerant.Decoded:
    if file.avro is not None:
        return tolerant.tolerantly_scanned(file.avro)
    return json_rows.read_json_rows(file.json or b"[]")


def _sunk(
    decoded: Sequence[tuple[tolerant.Decoded, int]],
    files: Sequence[SurveyedFile],
    place: NewFile,
    table: RawTable,
    dump_id: int,
) -> Footer:
    frames = [
        stored(
            rows.frame.with_row_index(ROW_ID, offset=0).with_columns(
                (pl.col(ROW_ID).cast(pl.Int64) + first_row_id).alias(ROW_ID),
                pl.lit(dump_id, dtype=pl.Int64).alias(DUMP_ID),
            ),
            rows.sources,
            table,
        )
        for rows, first_row_id in decoded
    ]
    place.written.unlink(missing_ok=True)  # of a sink that failed a thread may still be writing into it
    origin = [[file.listed, file.first_row_id] for file in files]
    together = frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")
    together.sink_parquet(
        place.written,
        compression=COMPRESSION,
        row_group_size=_ROW_GROUP_ROWS,
        metadata={DELIVERED_FILES: json.dumps(origin)},
    )
    footer, declared = footer_of(place.written), sum(file.rows for file in files)
    if footer.rows != declared:
        raise UnreadableFileError(f"has {footer.rows:,} rows of the {declared:,} that it declares")
    return footer


def _culprit(files: Sequence[SurveyedFile], error: BaseException) -> UnreadableFileError:
    """Return the error that names the file of a group that cannot be read."""
    for file in files:
        try:
            rows = _tolerantly(file).frame.collect(engine="streaming").height
        except UnreadableFileError as reason:
            return UnreadableFileError(f"file {file.listed} {_first_line(reason)}")
        except _READER_ERRORS as reason:
            return UnreadableFileError(f"file {file.listed} is damaged: {_first_line(reason)}")
        if rows != file.rows:
            return UnreadableFileError(f"file {file.listed} is damaged: {rows:,} of its {file.rows:,} rows are there")
    return UnreadableFileError(f"file {files[0].listed} cannot be stored: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:300]
