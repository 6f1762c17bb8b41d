"""Writes a sample export: all dumps, or some of them, block of people by block of people.

Here: which rows go into which file, in which order files appear. Not here: the rows themselves.
"""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from heap_assets.sample.calendar import Calendar, Dump
from heap_assets.sample.draws import Draws
from heap_assets.sample.events import events, pageviews, sessions
from heap_assets.sample.files import part_name, write_avro, write_json, write_json_lines
from heap_assets.sample.metadata import event_metadata, manifest, property_definitions, sync_report
from heap_assets.sample.people import migrations, people
from heap_assets.sample.server_events import SERVER_TABLES, server_events
from heap_assets.sample.size import SampleSize
from heap_assets.sample.stories import VISIT_TABLES
from heap_assets.sample.users import users
from heap_assets.sample.visits import delivered_visits, visits_with_history

_ROWS_PER_PERSON_AND_DAY = 0.75
_ROWS_PER_BLOCK = 250_000
_MOST_PEOPLE_PER_BLOCK = 100_000
_DAY = 86_400_000
_SECOND = 1000
_WITHOUT_EVENTS = {"users", "user_migrations"}
_FULL_AT_FIRST = frozenset({"sessions", "pageviews", *VISIT_TABLES, *SERVER_TABLES})


@dataclass(frozen=True, slots=True)
class Sample:
    """What one call has written: the dumps in order, rows of sessions, pageviews and events, and users new in them."""

    dump_ids: tuple[int, ...]
    events: int
    users: int


@dataclass(frozen=True, slots=True)
class _Block:
    """Some people in one dump: the unit of work, and one part of each table."""

    dump: Dump
    part: int
    people: range
    is_last: bool


@dataclass(slots=True)
class _Written:
    """The parts of a dump, as they come in."""

    files: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    rows: list[tuple[str, int]] = field(default_factory=list)
    new_users: int = 0

    def add(self, table: str, columns: list[str], key: str | None = None, rows: int = 0) -> None:
        """Note a table, and its file if it has one."""
        self.columns[table] = columns
        self.files.setdefault(table, [])
        if key is not None:
            self.files[table].append(key)
            self.rows.append((key, rows))

    def merge(self, other: "_Written") -> None:
        """Take over what another block has written."""
        for table, columns in other.columns.items():
            self.columns[table] = columns
            self.files.setdefault(table, []).extend(other.files[table])
        self.rows += other.rows
        self.new_users += other.new_users


def write_sample(
    out: Path,
    size: SampleSize,
    *,
    only: Collection[int] | None = None,
    on_file: Callable[[Path, int], None] | None = None,
) -> Sample:
    """Write a sample export below ``out`` and return what was written.

    Args:
        out: The export's root; files that are there are replaced.
        size: How large; the same size always gives the same bytes and modification times.
        only: Ids of the dumps to write, default all; a dump's bytes do not depend on which others are written.
        on_file: Called with path and row count after a dump's data file was written, in a fixed order.
    """
    calendar, draws = Calendar(size), Draws(size.seed)
    dumps = [dump for dump in calendar.dumps if only is None or dump.dump_id in only]
    if only is not None and len(dumps) != len(set(only)):
        raise ValueError(f"no such dumps: {sorted(set(only) - {dump.dump_id for dump in calendar.dumps})}")
    count = new_users = 0
    written = _Written()
    blocks = (block for dump in dumps for block in _blocks(calendar, dump))
    workers = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        for block, done in _in_order(pool, partial(_write_block, out, calendar, draws), blocks, workers + 1):
            written.merge(done)
            for key, rows in done.rows:
                count += 0 if key.split("/")[1] in _WITHOUT_EVENTS else rows
                if on_file is not None:
                    on_file(out / key, rows)
            if block.is_last:
                new_users += written.new_users
                _finish(out, calendar, block.dump, draws, written)
                written = _Written()
    return Sample(tuple(dump.dump_id for dump in dumps), count, new_users)


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[_Block], _Written], blocks: Iterable[_Block], ahead: int
) -> Iterator[tuple[_Block, _Written]]:
    """Return the results in the order of the blocks, with only so many blocks under way at a time."""
    under_way: deque[tuple[_Block, Future[_Written]]] = deque()
    for block in blocks:
        under_way.append((block, pool.submit(work, block)))
        if len(under_way) >= ahead:
            oldest, future = under_way.popleft()
            yield oldest, future.result()
    for oldest, future in under_way:
        yield oldest, future.result()


def _blocks(calendar: Calendar, dump: Dump) -> list[_Block]:
    size = calendar.size
    days = max(1.0, (dump.until - max(dump.after, calendar.origin)) / _DAY)
    people_per_block = int(_ROWS_PER_BLOCK / (_ROWS_PER_PERSON_AND_DAY * days))
    people_per_block = max(1, min(people_per_block, _MOST_PEOPLE_PER_BLOCK))
    if dump.index == 0:
        people_per_block = min(people_per_block, -(-size.users // 2))  # even a small sample has several parts
    begins = range(0, size.users, people_per_block)
    return [
        _Block(dump, part, range(begin, min(begin + people_per_block, size.users)), part == len(begins) - 1)
        for part, begin in enumerate(begins)
    ]


def _write_block(out: Path, calendar: Calendar, draws: Draws, block: _Block) -> _Written:
    written = _Written()
    for table, frame in _frames(calendar, draws, block, written):
        key = None
        if frame.height:
            key = f"sync_{block.dump.dump_id}/{table}/{part_name(draws, block.dump.dump_id, table, block.part)}"
            write_avro(out / key, frame, moment=_moment(block.dump, len(written.columns), block.part))
        written.add(table, frame.columns, key, frame.height)
    return written


def _frames(calendar: Calendar, draws: Draws, block: _Block, written: _Written) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of these people in this dump, table by table."""
    dump = block.dump
    everybody = people(calendar, draws, block.people)
    yield "user_migrations", migrations(draws, everybody, dump)
    if calendar.size.last_dump_share is not None and dump is calendar.dumps[-1]:
        everybody = everybody.filter("returning")
    before = calendar.dumps[dump.index - 1].after if dump.index else 0
    rows, written.new_users = users(draws, everybody, dump, before=before)
    yield "users", rows
    visits = delivered_visits(calendar, draws, everybody, dump)
    yield "sessions", sessions(calendar, draws, visits)
    yield "pageviews", pageviews(calendar, draws, visits, dump)
    for table in VISIT_TABLES:
        if table in dump.full_tables:
            whole = visits_with_history(calendar, draws, everybody, dump, table)
            yield table, events(calendar, draws, whole, dump, table)
        elif table not in dump.absent_tables:
            yield table, events(calendar, draws, visits, dump, table)
    for table in SERVER_TABLES:
        if table not in dump.absent_tables:
            yield table, server_events(calendar, draws, everybody, dump, table)


def _moment(dump: Dump, table: int, part: int) -> int:
    """Return when a data file was written: after the dump began, well before its manifest."""
    return dump.started + (table * 60 + part % 60) * _SECOND


def _finish(out: Path, calendar: Calendar, dump: Dump, draws: Draws, written: _Written) -> None:
    """Write what belongs to no people, and last of all the manifest."""
    folder = out / f"sync_{dump.dump_id}"
    rows = event_metadata(dump, calendar.dumps[0].until if dump.index == 0 else dump.after)
    moment = dump.finished - 120 * _SECOND
    if dump.index % 2:
        name = part_name(draws, dump.dump_id, "_event_metadata", 0)
        write_avro(folder / "_event_metadata" / name, pl.DataFrame(rows, infer_schema_length=None), moment=moment)
    else:
        name = "part-00000.json"
        write_json_lines(folder / "_event_metadata" / name, rows, moment=moment)
    written.add("_event_metadata", list(rows[0]), f"sync_{dump.dump_id}/_event_metadata/{name}")
    write_json(folder / "property_definitions.json", property_definitions(dump), moment=dump.finished - 60 * _SECOND)
    full = dump.full_tables | {"user_migrations"} | (_FULL_AT_FIRST if dump.index == 0 else frozenset())
    content = manifest(dump, written.files, written.columns, full)
    write_json(out / "manifests" / f"sync_{dump.dump_id}.json", content, moment=dump.finished)
    write_json(
        out / "sync_reports" / f"sync_{dump.dump_id}.json", sync_report(dump), moment=dump.finished + 30 * _SECOND
    )
