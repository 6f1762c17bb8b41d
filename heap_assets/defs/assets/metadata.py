"""What an asset shows in the UI: rows, times, columns, what was left out.

Here: plain results to Dagster metadata. Not here: counting (pipeline/).
"""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from heap_assets.config.model import Configuration
from heap_assets.defs.keys import HEAP, MIGRATED, RAW, model_key, table_key
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.landing.landing import Landing
from heap_assets.pipeline.publish.published import Publication
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
from heap_assets.pipeline.resolve.rows_of_merged_users import rows_of_merged_users
from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import EVENT_METADATA, SYSTEM_TABLES, USERS, raw_table
from heap_assets.schema.own_tables import IDENTITY_MAP, MODELS, ORIGINAL_USER_ID
from heap_assets.targets.target import PublishedTable

Metadata = dict[str, dg.MetadataValue]


def landed_metadata(landing: Landing) -> dict[dg.AssetKey, Metadata]:
    """Return for each table that got rows how many, and from which dumps."""
    by_table: dict[str, dict[int, int]] = {}
    for (table, dump_id), rows in landing.rows.items():
        by_table.setdefault(table, {})[dump_id] = rows
    return {
        table_key(RAW, table): {
            "dagster/row_count": dg.MetadataValue.int(landing.stored_rows[table]),
            "rows_landed": dg.MetadataValue.int(sum(rows.values())),
            "dumps_landed": dg.MetadataValue.int(len(rows)),
            "last_dump": dg.MetadataValue.int(max(rows)),
        }
        for table, rows in by_table.items()
        if table not in SYSTEM_TABLES or table == EVENT_METADATA.kind
    }


def resolved_metadata(
    resolution: Resolution, storage: Storage, configuration: Configuration
) -> dict[dg.AssetKey, Metadata]:
    """Return the metadata of each table that changed, without migrations and with them."""
    tables = {name: table for name, table in resolution.tables.items() if table.changed and name not in SYSTEM_TABLES}
    merged = rows_of_merged_users(storage, resolution, tables)
    names = resolution.current.names
    heap = {
        table_key(HEAP, name): _table_metadata(table, configuration.schema_name, names.in_s[name], table.facts.rows)
        | _losses(table)
        | {"superseded_rows": dg.MetadataValue.int(len(table.superseded))}
        for name, table in tables.items()
    }
    migrated = {
        table_key(MIGRATED, name): _table_metadata(
            table, configuration.migrated_schema_name, names.in_migrated[name], table.facts.migrated_rows, migrated=True
        )
        | {
            "rows_of_merged_users": dg.MetadataValue.int(merged[name]),
            "duplicates_after_merging": dg.MetadataValue.int(len(table.migrated_superseded) - len(table.superseded)),
        }
        for name, table in tables.items()
        if table.current.table.is_event_like
    }
    if USERS.kind in tables and resolution.users is not None:
        migrated[table_key(MIGRATED, USERS.kind)] = _table_metadata(
            tables[USERS.kind], configuration.migrated_schema_name, USERS.kind, resolution.users.rows
        ) | {"users_merged_into_others": dg.MetadataValue.int(merged[USERS.kind])}
    if resolution.identity_changed:
        ends = resolution.identity_map["resolved_user_id"]
        migrated[model_key(MIGRATED, IDENTITY_MAP.name)] = {
            "dagster/row_count": dg.MetadataValue.int(len(ends)),
            "dagster/table_name": dg.MetadataValue.text(f"{configuration.migrated_schema_name}.{IDENTITY_MAP.name}"),
            "dagster/column_schema": dg.MetadataValue.table_schema(
                dg.TableSchema(columns=[_column(column) for column in IDENTITY_MAP.columns])
            ),
            "users_that_others_became": dg.MetadataValue.int(ends.n_unique()),
            "most_users_in_one": dg.MetadataValue.int(int(ends.value_counts()["count"].max() or 0)),  # type: ignore[arg-type]
        }
    return heap | migrated


def _table_metadata(
    table: ResolvedTable, schema: str, published: str, rows: int, *, migrated: bool = False
) -> Metadata:
    table_schema = table.current.table_schema
    meanings = {column.name: column.meaning for column in table_schema.table.columns}
    names = table_schema.names_in_migrated() if migrated else table_schema.names_in_s()
    columns = []
    for column in table_schema.columns:
        columns.append(dg.TableColumn(names[column.name], column.type.duckdb, meanings.get(column.name)))
        if migrated and column.name == "user_id":
            columns.append(_column(ORIGINAL_USER_ID))
    metadata: Metadata = {
        "dagster/row_count": dg.MetadataValue.int(rows),
        "dagster/table_name": dg.MetadataValue.text(f"{schema}.{published}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns=columns)),
        "last_dump": dg.MetadataValue.int(table.current.last_listed.dump.dump_id),
    }
    what = "event" if table_schema.table.is_event_like else "change"
    for name, time in ((f"first_{what}", table.facts.first_time), (f"last_{what}", table.facts.last_time)):
        if time is not None:
            metadata[name] = _timestamp(time)
    return metadata


def _column(column: Column) -> dg.TableColumn:
    return dg.TableColumn(column.name, column.type.duckdb, column.meaning)


def _losses(table: ResolvedTable) -> Metadata:
    unread = table.current.unread_values()
    metadata: Metadata = {"quarantined_rows": dg.MetadataValue.int(table.facts.quarantined_rows)}
    if unread:
        metadata["unreadable_values"] = dg.MetadataValue.json(unread)
    return metadata


def published_metadata(table: PublishedTable) -> Metadata:
    """Return what is known of a table that is made when it is published."""
    ours = MODELS[table.name].columns if table.name in MODELS else ()
    meanings = {column.name: column.meaning for column in (*raw_table(table.name).columns, ORIGINAL_USER_ID, *ours)}
    columns = [dg.TableColumn(name, kind, meanings.get(name)) for name, kind in table.columns.items()]
    return {
        "dagster/row_count": dg.MetadataValue.int(table.rows),
        "dagster/table_name": dg.MetadataValue.text(f"{table.schema}.{table.name}"),
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns=columns)),
    }


def file_metadata(publication: Publication) -> Metadata:
    """Return what the published file holds, table by table."""
    records = [
        dg.TableRecord({"table": f"{table.schema}.{table.name}", "rows": table.rows}) for table in publication.tables
    ]
    return {
        "path": dg.MetadataValue.path(str(publication.path)),
        "tables": dg.MetadataValue.table(records) if records else dg.MetadataValue.text("none"),
        "table_count": dg.MetadataValue.int(len(publication.tables)),
    }


def report_metadata(path: Path) -> Metadata:
    """Return where the report is, as a link too."""
    return {
        "report": dg.MetadataValue.url(path.as_uri()),
        "path": dg.MetadataValue.path(str(path)),
        "open": dg.MetadataValue.md("`heap-assets report` opens it; a browser may refuse the link to a file."),
        "bytes": dg.MetadataValue.int(path.stat().st_size),
    }


def _timestamp(time: datetime) -> dg.MetadataValue:
    return dg.MetadataValue.timestamp(time.replace(tzinfo=UTC))
