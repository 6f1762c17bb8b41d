"""Inspection: each table's newest delivery against the rules, after it was resolved.

What was inspected is remembered with the lake, so a run looks only at tables that changed. Here: what goes into each
rule. Not here: the rules (quality/), the key check that holds back publication (key_check.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from pydantic import TypeAdapter

from heap_assets.lake.listing import LandedFile
from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.damage import damage_named
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.pipeline.resolve.identity import migration_rows
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.pipeline.resolve.sync_tables import delivered_sync_info
from heap_assets.quality import catalogue, deliveries, identity
from heap_assets.quality.outcome import Outcome
from heap_assets.quality.rows import reference_outcome, times_outcome
from heap_assets.schema.heap_tables import SESSIONS, SYNC_INFO, SYSTEM_TABLES, USER_MIGRATIONS, USERS
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, delivered_column, stored_name
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.truth import current_deliveries
from heap_assets.transforms.duplicates import ENTITY, OWNER, has_required_ids, keys

INSPECTED = Part("inspected", TypeAdapter(dict[str, tuple[str, ...]]), without={})
_RECENT = 14


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found, by table and check; identity's where who became whom has changed."""

    tables: Mapping[str, Mapping[catalogue.TableCheck, Outcome]]
    identity: Mapping[catalogue.IdentityCheck, Outcome]
    deliveries: Mapping[str, tuple[str, ...]]


def inspection(storage: Storage, ledger: Ledger, resolution: Resolution, *, again: bool = False) -> Inspection:
    """Inspect the tables that changed since the last inspection that was remembered; with ``again`` every table."""
    before = {} if again else INSPECTED.read(storage)
    deliveries = {
        name: table.current.deliveries() for name, table in resolution.tables.items() if name not in SYSTEM_TABLES
    }
    changed = [name for name in deliveries if before.get(name) != deliveries[name]]
    of_identity = changed and {USER_MIGRATIONS.kind, USERS.kind} & set(changed)
    with damage_named(storage):
        heaps = _heaps_counts(resolution)
        found = {
            name: _Inspected(resolution, resolution.tables[name].current, ledger, heaps).outcomes() for name in changed
        }
        return Inspection(found, _identity_outcomes(resolution) if of_identity else {}, deliveries)


def remember(storage: Storage, done: Inspection) -> None:
    """Remember what was inspected, once its outcomes are told."""
    INSPECTED.write(storage, dict(done.deliveries))


class _Inspected:
    """One table with the files of its newest delivery, and of those before, void ones included."""

    def __init__(
        self, resolution: Resolution, table: CurrentTable, ledger: Ledger, heaps: Mapping[tuple[str, int], int]
    ) -> None:
        self._resolution, self._table, self._ledger, self._heaps = resolution, table, ledger, heaps
        dump_ids = {dump.delivery_id: dump_id for dump_id, dump in ledger.dumps.items()}
        by_dump: dict[int, list[LandedFile]] = {}
        for file in table.landed.files():
            if file.delivery in dump_ids:
                by_dump.setdefault(dump_ids[file.delivery], []).append(file)
        self._dump = table.dump_deliveries[-1].dump if table.dump_deliveries else table.last_listed.dump
        self._files = tuple(by_dump.get(self._dump.dump_id, ()))
        self._earlier = [by_dump[dump_id] for dump_id in sorted(by_dump) if dump_id < self._dump.dump_id]

    def outcomes(self) -> dict[catalogue.TableCheck, Outcome]:
        rules = {
            catalogue.SCHEMA: self._schema,
            catalogue.REQUIRED: self._required,
            catalogue.VOLUME: self._volume,
            catalogue.ROWS: self._rows_landed,
            catalogue.RESYNC: self._resync,
            catalogue.TIMES: self._times,
            catalogue.KNOWN_SESSIONS: self._known_sessions,
            catalogue.KNOWN_USERS: self._known_users,
        }
        return {check: rules[check]() for check in catalogue.checks_of(self._table.table) if check in rules}

    def _schema(self) -> Outcome:
        before = _columns(self._earlier[-1]) if self._earlier else None
        return deliveries.schema_outcome(before if self._files else None, _columns(self._files))

    def _required(self) -> Outcome:
        table = self._table.table
        time = stored_name(table.newest_by, ValueType.TIME)
        return deliveries.required_outcome(
            _columns(self._files).keys(),
            must_have=table.must_have,
            rows=_rows(self._files),
            undated=sum(file.nulls.get(time, file.rows) for file in self._files) if table.time_required else 0,
        )

    def _volume(self) -> Outcome:
        incremental = {
            dump.delivery_id
            for dump in self._ledger.dumps.values()
            for delivery in dump.deliveries
            if delivery.table == self._table.name and delivery.incremental
        }
        recent = [_rows(files) for files in self._earlier if files[0].delivery in incremental][-_RECENT:]
        is_usual = self._dump.delivery_id in incremental
        return deliveries.volume_outcome(_rows(self._files), recent if is_usual else ())

    def _rows_landed(self) -> Outcome:
        stored = (
            self._table.landed.scan([file.path for file in self._files], [ROW_ID]).select(pl.len()).collect().item()
        )
        return deliveries.rows_outcome(
            delivered=_rows(self._files),
            stored=int(stored),
            heaps_count=self._heaps.get((self._table.name, self._dump.dump_id)),
        )

    def _resync(self) -> Outcome:
        newest = self._table.dump_deliveries[-1] if self._table.dump_deliveries else None
        if newest is None or newest.delivery.incremental:
            return deliveries.resync_outcome(self._dump.dump_id, incremental=True, before=None, now=_rows(self._files))
        before = self._files_before()
        return deliveries.resync_outcome(
            self._dump.dump_id,
            incremental=False,
            before=None if before is None else self._rows_of_keys(before),
            now=self._rows_of_keys(self._files),
        )

    def _files_before(self) -> list[LandedFile] | None:
        """Return the files of the deliveries that made up the table before the newest one, if the lake has them all."""
        dumps = [dump for dump in self._ledger.dumps.values() if dump.dump_id < self._dump.dump_id]
        counted = current_deliveries(dumps).get(self._table.name, ())
        by_delivery = {files[0].delivery: files for files in self._earlier}
        there = [by_delivery.get(item.dump.delivery_id) for item in counted if item.delivery.file_count]
        return None if not counted or None in there else [file for files in there for file in files or ()]

    def _rows_of_keys(self, files: Sequence[LandedFile]) -> int:
        """Return how many rows files have; of one key only one counts, for many dumps tell of a user again."""
        table = self._table.table
        if not table.key:
            return _rows(files)
        stored = self._table.landed.scan([file.path for file in files], self._table.stored_columns())
        return int(keys(stored, table).select(pl.struct(ENTITY, OWNER).n_unique()).collect(engine="streaming").item())

    def _times(self) -> Outcome:
        time = self._table.table.newest_by
        ended = self._dump.modified.replace(tzinfo=None)
        return times_outcome(self._rows(time), time=time, key=list(self._table.table.key), until=ended)

    def _known_sessions(self) -> Outcome:
        return reference_outcome(
            self._rows("time", "session_id"),
            self._ids(SESSIONS.kind, "session_id"),
            column="session_id",
            key=list(self._table.table.key),
            what="the sessions that were delivered",
        )

    def _known_users(self) -> Outcome:
        users = pl.concat([self._ids(USERS.kind, "user_id"), self._resolution.identity_map.lazy().select("user_id")])
        return reference_outcome(
            self._rows("time"),
            users,
            column="user_id",
            key=list(self._table.table.key),
            what="the users that were delivered",
        )

    def _rows(self, time: str, *more: str) -> pl.LazyFrame:
        """Return ids and time of the newest delivery's rows that have their ids, under delivered names."""
        ids = dict.fromkeys((*self._table.table.required, *more))
        columns = {stored_name(column, ValueType.LONG): column for column in ids}
        columns[stored_name(time, ValueType.TIME)] = time
        scanned = self._table.landed.scan([file.path for file in self._files], [ROW_ID, DUMP_ID, *columns])
        return scanned.filter(has_required_ids(self._table.table)).select(ROW_ID, *columns).rename(columns)

    def _ids(self, name: str, column: str) -> pl.LazyFrame:
        """Return an id column of another table, superseded rows included."""
        table = self._resolution.tables.get(name)
        stored = stored_name(column, ValueType.LONG)
        if table is None:
            return pl.LazyFrame(schema={column: pl.Int64()})
        return table.current.landed.scan(table.current.paths(), [ROW_ID, stored]).select(pl.col(stored).alias(column))


def _columns(files: Sequence[LandedFile]) -> dict[str, str]:
    """Return the delivered columns of files with their types, '' where no row has a value."""
    columns: dict[str, set[str]] = {}
    for file in files:
        for stored in file.nulls:
            if stored not in {ROW_ID, DUMP_ID}:
                column, value_type = delivered_column(stored)
                columns.setdefault(column, set()).update({value_type.value} if file.has_values(stored) else ())
    return {column: " and ".join(sorted(types)) for column, types in columns.items()}


def _rows(files: Sequence[LandedFile]) -> int:
    return sum(file.rows for file in files)


def _heaps_counts(resolution: Resolution) -> dict[tuple[str, int], int]:
    """Return what Heap's own _sync_info says that it inserted, by table and dump."""
    rows = delivered_sync_info(resolution.current.tables.get(SYNC_INFO.kind))
    return {
        (row["event_table_name"], row["dump_id"]): row["inserted_row_count"]
        for row in rows.iter_rows(named=True)
        if row["inserted_row_count"] is not None
    }


def _identity_outcomes(resolution: Resolution) -> dict[catalogue.IdentityCheck, Outcome]:
    migrations = migration_rows(resolution.current.tables.get(USER_MIGRATIONS.kind))
    users = resolution.tables.get(USERS.kind)
    identities = pl.DataFrame(schema={"user_id": pl.Int64(), "identity": pl.String()})
    if users is not None and users.current.table_schema.column("identity") is not None:
        rows = users.current.rows(users.superseded).select("user_id", pl.col("identity").cast(pl.String))
        identities = rows.filter(pl.col("identity").is_not_null()).collect(engine="streaming")
    return {
        catalogue.CYCLES: identity.cycles_outcome(migrations, resolution.identity_map),
        catalogue.CONFLICTS: identity.conflicts_outcome(migrations),
        catalogue.FAN_IN: identity.fan_in_outcome(resolution.identity_map, identities),
    }
