"""The tables about the data: _sync_info, _sync_history, _event_metadata, _dropped_tables, _quarantine.

Here: what ledger, lake and resolution know, as small frames with the published names in them. Not here: the rules of
each value (transforms/sync_tables.py, transforms/quarantine.py).
"""

import json
from collections.abc import Mapping
from datetime import datetime

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.reading import read_column
from heap_assets.lake.listing import LandedFile
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.ledger import Ledger
from heap_assets.pipeline.resolve.current_tables import CurrentTable, CurrentTables
from heap_assets.pipeline.resolve.resolution import Resolution
from heap_assets.schema.heap_tables import EVENT_METADATA, SYNC_INFO, SYSTEM_TABLES
from heap_assets.schema.own_tables import QUARANTINE
from heap_assets.schema.stored_columns import DELIVERED_FILES, DUMP_ID, ROW_ID
from heap_assets.schema.synced_table import SyncedTable
from heap_assets.sources.heap.sync_reports import reports_by_dump
from heap_assets.transforms.quarantine import quarantined
from heap_assets.transforms.sync_tables import SYNC_INFO_SCHEMA, sync_history, sync_info

_QUARANTINE_SCHEMA = {column.name: column.type.polars for column in QUARANTINE.columns}


def sync_info_table(resolution: Resolution) -> pl.DataFrame:
    """Return _sync_info: one row per table that any dump lists, system tables aside."""
    ours = [
        {
            "event_table_name": name,
            "sync_started": _naive(last.delivery.first_file_modified),
            "sync_ended": _naive(last.dump.modified),
            "synced_to_time": resolution.tables[name].facts.synced_to if name in resolution.tables else None,
            "inserted_row_count": _delivered_rows(resolution, name),
            "dump_id": last.dump.dump_id,
        }
        for name, last in resolution.current.listed.items()
        if name not in SYSTEM_TABLES
    ]
    frame = sync_info(
        pl.DataFrame(ours, schema={**SYNC_INFO_SCHEMA, "dump_id": pl.Int64()}),
        delivered_sync_info(resolution.current.tables.get(SYNC_INFO.kind)),
    )
    return _with_published_names(frame, "event_table_name", resolution)


def synced_tables(info: pl.DataFrame) -> tuple[SyncedTable, ...]:
    """Return the rows of _sync_info, by table."""
    columns = info.select("event_table_name", "synced_to_time", "sync_ended", "inserted_row_count").sort(pl.all())
    return tuple(
        SyncedTable(name=name, synced_to_time=synced_to, sync_ended=ended, inserted_row_count=count or 0)
        for name, synced_to, ended, count in columns.iter_rows()
    )


def _delivered_rows(resolution: Resolution, name: str) -> int:
    last = resolution.current.listed[name]
    table = resolution.current.tables.get(name)
    return table.delivered_rows(last) if table is not None and last.delivery.file_count else 0


def delivered_sync_info(table: CurrentTable | None) -> pl.DataFrame:
    """Return the rows of Heap's own _sync_info, oldest first, as far as they have the documented columns."""
    schema = {**SYNC_INFO_SCHEMA, "dump_id": pl.Int64()}
    if table is None:
        return pl.DataFrame(schema=schema)
    there = {column.name: column for column in table.table_schema.columns}
    columns = [
        read_column(there[name]).cast(kind, strict=False) if name in there else pl.lit(None, dtype=kind).alias(name)
        for name, kind in SYNC_INFO_SCHEMA.items()
    ]
    rows = table.stored().sort(DUMP_ID, ROW_ID).select(pl.col(DUMP_ID).alias("dump_id"), *columns)
    return rows.filter(pl.col("event_table_name").is_not_null()).collect()


def sync_history_table(ledger: Ledger) -> pl.DataFrame:
    """Return _sync_history: one row per dump that landed."""
    reports = reports_by_dump(ledger.reports, ledger.dumps)
    rows = []
    for dump_id, dump in ledger.dumps.items():
        report = reports.get(dump_id)
        times = [delivery.first_file_modified for delivery in dump.deliveries if delivery.first_file_modified]
        rows.append(
            {
                "dump_id": dump_id,
                "reported": report is not None,
                "status": report.status if report else None,
                "error": report.error if report else None,
                "report_start": report.start_time if report else None,
                "report_finish": report.finish_time if report else None,
                "next_sync_at": report.next_sync_at if report else None,
                "first_file": _naive(min(times, default=None)),
                "manifest": _naive(dump.modified),
            }
        )
    texts = ("status", "error", "report_start", "report_finish", "next_sync_at")
    schema: dict[str, pl.DataType] = {"dump_id": pl.Int64(), "reported": pl.Boolean()}
    schema.update({name: pl.String() for name in texts})
    schema.update({name: pl.Datetime("us") for name in ("first_file", "manifest")})
    return sync_history(pl.DataFrame(rows, schema=schema))


def system_table(name: str, resolution: Resolution) -> pl.DataFrame | None:
    """Return a system table as it was delivered, with the published names of the tables that it names."""
    table = resolution.current.tables.get(name)
    if table is None:
        if name != EVENT_METADATA.kind:
            return None
        return pl.DataFrame(schema={column.name: column.type.polars for column in EVENT_METADATA.columns})
    ordered = table.stored().sort(DUMP_ID, ROW_ID)
    frame = ordered.select(ROW_ID, *map(read_column, table.table_schema.columns)).drop(ROW_ID).collect()
    if name == EVENT_METADATA.kind:
        frame = _with_published_names(frame, "table_name", resolution)
    return frame.rename(table.table_schema.names_in_s())


def quarantine_table(storage: Storage, resolution: Resolution) -> pl.DataFrame:
    """Return _quarantine: every row of a current delivery that lacks an id, with the file and row it came from."""
    parts = [pl.DataFrame(schema=_QUARANTINE_SCHEMA)]
    for name, resolved in resolution.tables.items():
        current = resolved.current
        if not (current.table_schema.unkeyed and current.files):
            continue
        columns = dict.fromkeys(column for file in current.files for column in file.nulls if column[0] != "$")
        found = quarantined(current.stored(), columns, current.table).collect(engine="streaming")
        origin = _origins(storage, current.files)
        parts.append(
            found.sort(ROW_ID)
            .join_asof(origin, on=ROW_ID, strategy="backward")
            .select(
                pl.lit(resolution.current.names.in_s[name]).alias("table_name"),
                pl.col(DUMP_ID).alias("dump_id"),
                "file",
                (pl.col(ROW_ID) - pl.col("first") + 1).alias("row_number"),
                "reason",
                "row",
            )
        )
    return pl.concat(parts).sort("table_name", "dump_id", "file", "row_number")


def _origins(storage: Storage, files: tuple[LandedFile, ...]) -> pl.DataFrame:
    """Return the delivered files with the row id of their first row."""
    origins = []
    for file in files:
        kept = pl.read_parquet_metadata(storage.local_copy(file.path)).get(DELIVERED_FILES, "[]")
        end = file.first_row_id + file.rows
        # of files that begin with the same row the last one has it, the others are empty
        last = {first: listed for listed, first in json.loads(kept) if first < end}
        origins += [(first, first, listed) for first, listed in last.items()]
    schema = {ROW_ID: pl.Int64(), "first": pl.Int64(), "file": pl.String()}
    return pl.DataFrame(origins, schema=schema, orient="row").sort(ROW_ID)


def event_display_names(current: CurrentTables) -> tuple[tuple[str, str], ...]:
    """Return the delivered table and the display name of each event that Heap's _event_metadata names."""
    table = current.tables.get(EVENT_METADATA.kind)
    if table is None:
        return ()
    columns = [column for name in ("table_name", "ui_name") if (column := table.table_schema.column(name)) is not None]
    frame = table.stored().select(ROW_ID, *map(read_column, columns)).drop(ROW_ID).collect()
    names = frame.select(cs.by_name("table_name", "ui_name").cast(pl.String))
    return tuple((name, shown) for name, shown in names.iter_rows() if name and shown)


def display_names(metadata: pl.DataFrame) -> Mapping[str, str]:
    """Return what Heap says of each published event table: its display name, and its notes."""
    columns = {"table_name", "ui_name", "notes"} & set(metadata.columns)
    if not {"table_name", "ui_name"} <= columns:
        return {}
    described = {}
    for row in metadata.select(cs.by_name(*sorted(columns)).cast(pl.String)).iter_rows(named=True):
        if row["table_name"] and row["ui_name"]:
            described[row["table_name"]] = ". ".join(filter(None, (row["ui_name"], row.get("notes"))))
    return described


def _with_published_names(frame: pl.DataFrame, column: str, resolution: Resolution) -> pl.DataFrame:
    names = {name: published for name, published in resolution.current.names.in_s.items() if name != published}
    if column not in frame.columns or frame.schema[column] != pl.String or not names:
        return frame
    return frame.with_columns(pl.col(column).replace(names))


def _naive(time: datetime | None) -> datetime | None:
    return None if time is None else time.replace(tzinfo=None)
