"""The published tables that an export amounts to: the schemas S and S_migrated, and what the analytics make of them.

Here: which tables there are, their published names, reduced column sets. The rules are in the modules beside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from heap_assets_tests.configurations import EVERYTHING, configuration_of
from heap_assets_tests.oracles import labeled, roles
from heap_assets_tests.oracles.analytics_tables import Migrated, analytics_tables
from heap_assets_tests.oracles.export_reader import ExportBroken, Manifest, definitions, manifests
from heap_assets_tests.oracles.identity import identity_map
from heap_assets_tests.oracles.migrated import (
    EVENT_TABLE_NAME,
    ORIGINAL_USER_ID,
    Relation,
    all_events,
    migrated_events,
    migrated_users,
)
from heap_assets_tests.oracles.naming import folded, published_names
from heap_assets_tests.oracles.sync_tables import SYNC_HISTORY_COLUMNS, SYNC_INFO_COLUMNS, sync_history, sync_info
from heap_assets_tests.oracles.truth import Truth, deliveries, opened, table_names, truth

OURS_IN_S = ("all_events", "_sync_info", "_sync_history", "_event_metadata", "_quarantine")
OURS_IN_MIGRATED = ("all_events", "identity_map")
_HEAPS_OWN = ("users", "user_migrations", "sessions", "pageviews", "_dropped_tables")
_QUARANTINE_COLUMNS = {
    "table_name": "VARCHAR",
    "dump_id": "BIGINT",
    "file": "VARCHAR",
    "row_number": "BIGINT",
    "reason": "VARCHAR",
    "row": "VARCHAR",
}


@dataclass(frozen=True)
class Table:
    """A published table: column names with DuckDB types, and rows of plain values in that order, as a multiset."""

    columns: dict[str, str]
    rows: list[tuple]


Tables = dict[tuple[str, str], Table]


def published_tables(
    root: Path,
    *,
    schema: str = "main_production",
    all_events_columns: str = "all",
    upto: int | None = None,
    manifest_times: Mapping[int, datetime] | None = None,
    analytics: Mapping[str, object] | None = EVERYTHING,
) -> Tables:
    """Return every table of S, S_migrated and heap_analytics by (schema, name); one without any column is none.

    Args:
        root: The export's folder.
        schema: The name of S.
        all_events_columns: ``all``, ``builtin`` or ``basic``.
        upto: The greatest dump that counts; None for all that are there.
        manifest_times: When a manifest came first, for dumps whose manifest came again with equal content.
        analytics: The keys of the analytics configuration; None leaves heap_analytics and segments out.

    Raises:
        ExportBroken: A dump fails, so that nothing of it and of later ones is published.
    """
    dumps = _dumps(root, upto, manifest_times or {})
    files = opened(root, dumps)
    listed = table_names(dumps)
    existing = [table for table in listed if any(entry.files for _, entry in deliveries(dumps, table))]
    truths = {table: truth(dumps, files, table) for table in existing}
    s_names = _s_names(listed)
    s_tables = _s_tables(truths, s_names, all_events_columns)
    metadata = truth(dumps, files, "_event_metadata")
    s_tables["_event_metadata"] = _event_metadata(metadata, s_names)
    s_tables["_sync_info"] = Table(SYNC_INFO_COLUMNS, sync_info(root, dumps, files, truths, s_names))
    s_tables["_sync_history"] = Table(SYNC_HISTORY_COLUMNS, sync_history(root, dumps))
    migrated_names = _migrated_names(listed)
    migrated = _migrated_tables(
        truths,
        migrated_names,
        labeled.parsed(definitions(root, dumps)),
        all_events_columns,
    )
    models: Tables = {}
    if analytics is not None:
        names = {
            table: name for table, name in migrated_names.items() if table in truths and roles.is_event_like(table)
        }
        shown = [(str(row.values["table_name"]), str(row.values.get("ui_name"))) for row in metadata.rows]
        models = analytics_tables(Migrated(migrated, names, shown), configuration_of(dict(analytics)), Table)
    return {
        **{(schema, name): table for name, table in s_tables.items() if table.columns},
        **{(f"{schema}_migrated", name): table for name, table in migrated.items()},
        **models,
    }


def published_state(root: Path, **settings: object) -> tuple[Tables, ExportBroken | None]:
    """Return the tables before the first dump that fails, and that failure."""
    failure = None
    upto = settings.pop("upto", None)
    while True:
        try:
            return published_tables(root, upto=upto, **settings), failure
        except ExportBroken as broken:
            failure = broken
            upto = broken.dump_id - 1


def _dumps(root: Path, upto: int | None, times: Mapping[int, datetime]) -> list[Manifest]:
    return [
        replace(dump, modified=times.get(dump.dump_id, dump.modified))
        for dump in manifests(root)
        if upto is None or dump.dump_id <= upto
    ]


def _s_names(listed: Sequence[str]) -> dict[str, str]:
    delivered = [table for table in listed if table not in OURS_IN_S or table not in roles.SYSTEM_TABLES]
    return published_names(delivered, keeping=_HEAPS_OWN, ours=OURS_IN_S)


def _migrated_names(listed: Sequence[str]) -> dict[str, str]:
    delivered = [table for table in listed if table == "users" or roles.is_event_like(table)]
    return published_names(delivered, keeping=_HEAPS_OWN, ours=OURS_IN_MIGRATED)


def _s_tables(truths: Mapping[str, Truth], names: Mapping[str, str], all_events_columns: str) -> dict[str, Table]:
    relations = {
        table: Relation(found.columns, [row.values for row in found.rows])
        for table, found in truths.items()
        if table in names
    }
    tables = {
        names[table]: _published(relation, _column_names(table, relation)) for table, relation in relations.items()
    }
    parts = {table: relation for table, relation in relations.items() if roles.is_event_like(table)}
    everything = all_events(parts, truths, names, {EVENT_TABLE_NAME: "VARCHAR"})
    tables["all_events"] = _published(everything, _all_events_names(everything, all_events_columns))
    tables["_quarantine"] = Table(
        _QUARANTINE_COLUMNS,
        [
            (names[row.table], row.dump_id, row.file, row.row_number, row.reason, row.row)
            for found in truths.values()
            for row in found.rejected
        ],
    )
    return tables


def _event_metadata(found: Truth, names: Mapping[str, str]) -> Table:
    rows = [
        row.values | {"table_name": names.get(row.values["table_name"], row.values["table_name"])} for row in found.rows
    ]
    relation = Relation(found.columns, rows)
    return _published(relation, _column_names("_event_metadata", relation))


def _migrated_tables(
    truths: Mapping[str, Truth],
    names: Mapping[str, str],
    definitions_of: Mapping[str, list[labeled.Definition]],
    all_events_columns: str,
) -> dict[str, Table]:
    migrations = truths["user_migrations"].delivered if "user_migrations" in truths else ()
    resolved = identity_map(
        (row.values["from_user_id"], row.values["to_user_id"], row.values.get("time")) for row in migrations
    )
    tables = {"identity_map": Table({"user_id": "BIGINT", "resolved_user_id": "BIGINT"}, list(resolved.items()))}
    if "users" in truths:
        users = migrated_users(truths["users"], resolved)
        tables["users"] = _with_labeled(users, _column_names("users", users), definitions_of["user"])
    parts = {table: migrated_events(found, resolved) for table, found in truths.items() if roles.is_event_like(table)}
    for table, relation in parts.items():
        tables[names[table]] = _with_labeled(relation, _column_names(table, relation), definitions_of["event"])
    ours = {EVENT_TABLE_NAME: "VARCHAR", ORIGINAL_USER_ID: "BIGINT"}
    everything = all_events(parts, truths, names, ours)
    tables["all_events"] = _with_labeled(
        everything,
        _all_events_names(everything, all_events_columns),
        definitions_of["event"] if all_events_columns == "all" else [],
    )
    return tables


def _with_labeled(relation: Relation, names: Mapping[str, str], found: list[labeled.Definition]) -> Table:
    computed = labeled.computed(found, relation, taken={folded(name) for name in (*names, *names.values())})
    wide = Relation(
        relation.columns | computed.columns,
        [row | more for row, more in zip(relation.rows, computed.rows, strict=True)],
    )
    return _published(wide, {**names, **{column: column[1:] for column in computed.columns}})


def _published(relation: Relation, names: Mapping[str, str]) -> Table:
    shown = [column for column in relation.columns if column in names]
    return Table(
        {names[column]: relation.columns[column] for column in shown},
        [tuple(row[column] for column in shown) for row in relation.rows],
    )


def _column_names(table: str, relation: Relation) -> dict[str, str]:
    return _names_beside_ours(relation, roles.columns_that_keep_their_names(table))


def _names_beside_ours(relation: Relation, keeping: Sequence[str]) -> dict[str, str]:
    ours = {column: column[1:] for column in relation.columns if column.startswith(":")}
    delivered = [column for column in relation.columns if column not in ours]
    return published_names(delivered, keeping=keeping, ours=ours.values()) | ours


def _all_events_names(relation: Relation, column_set: str) -> dict[str, str]:
    names = _names_beside_ours(relation, roles.BASIC_COLUMNS)
    if column_set == "all":
        return names
    builtin = roles.BUILTIN_COLUMNS if column_set == "builtin" else ()
    return {
        column: name
        for column, name in names.items()
        if column.startswith(":") or column in roles.BASIC_COLUMNS or folded(column) in builtin
    }
