"""The truth of one raw table after some dumps: which deliveries are current, and which row of a key wins.

Here: section 2 of the contract, names as delivered. Not here: published names (tables.py), merged users (migrated.py).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from heap_assets_tests.oracles import roles
from heap_assets_tests.oracles.export_reader import (
    DataFile,
    ExportBroken,
    Listed,
    Manifest,
    Unreadable,
    data_file,
    path_below,
)
from heap_assets_tests.oracles.typing_rules import EPOCH, as_id, as_text, as_time, in_type, resolved_type

Delivery = tuple[Manifest, Listed]
Opened = dict[tuple[int, str], DataFile]
Rank = tuple[int, bool, datetime, int, int]  # dump, has a time, time, file, row: the greatest wins


@dataclass(frozen=True)
class Row:
    """A row of a raw table by delivered column names, values in their column's type."""

    rank: Rank
    values: dict[str, object]


@dataclass(frozen=True)
class Rejected:
    """A row that lacks its key."""

    table: str
    dump_id: int
    file: str
    row_number: int
    reason: str
    row: str


@dataclass(frozen=True)
class Truth:
    """A raw table: ``declared`` columns have a type from a file, ``delivered`` rows are those before the newest won."""

    name: str
    columns: dict[str, str]
    declared: frozenset[str]
    delivered: tuple[Row, ...]
    rows: tuple[Row, ...]
    rejected: tuple[Rejected, ...]


def deliveries(dumps: Iterable[Manifest], table: str) -> list[Delivery]:
    """Return everything that the dumps list for a table, oldest first."""
    return [(dump, listed) for dump in dumps for listed in dump.tables if listed.name == table]


def current_deliveries(dumps: Iterable[Manifest], table: str) -> list[Delivery]:
    """Return the deliveries that still count: from the last full one on, or the last one where each replaces."""
    every = deliveries(dumps, table)
    if table in roles.REPLACED_BY_EACH_DELIVERY:
        return [delivery for delivery in every if delivery[1].files or not delivery[1].incremental][-1:]
    full = [place for place, (_, listed) in enumerate(every) if not listed.incremental]
    return every[full[-1] :] if full else every


def table_names(dumps: Iterable[Manifest]) -> list[str]:
    """Return every table that any manifest lists."""
    return sorted({listed.name for dump in dumps for listed in dump.tables})


def opened(root: Path, dumps: Sequence[Manifest]) -> Opened:
    """Read every file that counts; raise ExportBroken for the first dump that has a broken one."""
    broken = [(dump.dump_id, dump.path.name) for dump in dumps if dump.content is None]
    files: Opened = {}
    for table in table_names(dumps):
        for dump, listed in current_deliveries(dumps, table):
            for key in listed.files:
                try:
                    files[dump.dump_id, key] = _whole_file(path_below(root, dump.dump_id, key), table)
                except Unreadable:
                    broken.append((dump.dump_id, key))
    if broken:
        first = min(dump_id for dump_id, _ in broken)
        raise ExportBroken(first, tuple(name for dump_id, name in broken if dump_id == first))
    return files


def _whole_file(path: Path, table: str) -> DataFile:
    file = data_file(path, may_be_json=table == "_event_metadata")
    missing = [column for column in roles.required_columns(table) if column not in file.columns]
    if missing and file.rows:
        raise Unreadable(f"no column {missing[0]}")
    return file


def truth(dumps: Sequence[Manifest], files: Opened, table: str) -> Truth:
    """Return what the dumps say of a table, taken together."""
    current = current_deliveries(dumps, table)
    found = [
        (dump.dump_id, key, place, files[dump.dump_id, key])
        for dump, listed in current
        for place, key in enumerate(listed.files)
    ]
    columns = _columns(table, current, [file for *_, file in found])
    declared = frozenset(name for *_, file in found for name in file.types)
    delivered, rejected = [], []
    for dump_id, key, place, file in found:
        for number, raw in enumerate(file.rows, start=1):
            values = _typed(table, columns, raw)
            missing = [column for column in roles.required_ids(table) if values[column] is None]
            if missing:
                row = json.dumps(raw, default=str)
                rejected.append(Rejected(table, dump_id, key, number, f"no {missing[0]}", row))
            else:
                newness = values.get(roles.newness_column(table))
                delivered.append(Row((dump_id, newness is not None, newness or EPOCH, place, number), values))
    rows = newest(delivered, roles.key_columns(table))
    return Truth(table, columns, declared, tuple(delivered), tuple(rows), tuple(rejected))


def newest(rows: Sequence[Row], key: tuple[str, ...]) -> list[Row]:
    """Return the row with the greatest rank of each key; all rows if there is no key."""
    if not key:
        return list(rows)
    winners: dict[tuple[object, ...], Row] = {}
    for row in rows:
        identity = tuple(row.values[column] for column in key)
        if identity not in winners or row.rank > winners[identity].rank:
            winners[identity] = row
    return list(winners.values())


def _columns(table: str, current: Sequence[Delivery], files: Sequence[DataFile]) -> dict[str, str]:
    if files:
        delivered = [name for file in files for name in file.columns]
    else:
        delivered = [name for _, listed in current for name in listed.columns]
    always = roles.EVENT_METADATA_COLUMNS if table == "_event_metadata" else roles.required_columns(table)
    columns = {}
    for name in (*always, *delivered):
        if name in roles.id_columns(table):
            columns[name] = "BIGINT"
        elif name in roles.time_columns(table):
            columns[name] = "TIMESTAMP"
        else:
            columns[name] = resolved_type({kind for file in files for kind in file.types.get(name, ())})
    return columns


def _typed(table: str, columns: dict[str, str], raw: dict[str, object]) -> dict[str, object]:
    values = {}
    for name, duckdb_type in columns.items():
        value = raw.get(name)
        if name in roles.id_columns(table):
            values[name] = as_id(value)
        elif name in roles.time_columns(table):
            values[name] = as_time(value)
        else:
            values[name] = in_type(value, duckdb_type)
    return values


def text_or_none(value: object) -> str | None:
    """Return the text form of a value that may be missing."""
    return None if value is None else as_text(value)
