"""When each table and each dump was synced: ``_sync_info`` and ``_sync_history``.

Here: rows as tuples, published table names. Not here: what a current row is (truth.py).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from heap_assets_tests.oracles import roles
from heap_assets_tests.oracles.export_reader import Listed, Manifest, modified, path_below, sync_reports
from heap_assets_tests.oracles.truth import Opened, Truth, deliveries, table_names
from heap_assets_tests.oracles.typing_rules import EPOCH, as_id, as_text, as_time

SYNC_INFO_COLUMNS = {
    "event_table_name": "VARCHAR",
    "sync_started": "TIMESTAMP",
    "sync_ended": "TIMESTAMP",
    "synced_to_time": "TIMESTAMP",
    "inserted_row_count": "BIGINT",
}
SYNC_HISTORY_COLUMNS = {
    "dump_id": "BIGINT",
    "status": "VARCHAR",
    "start_time": "TIMESTAMP",
    "finish_time": "TIMESTAMP",
    "error": "VARCHAR",
    "next_scheduled_sync_at": "TIMESTAMP",
}


def sync_info(
    root: Path,
    dumps: Sequence[Manifest],
    files: Opened,
    truths: Mapping[str, Truth],
    names: Mapping[str, str],
) -> list[tuple]:
    """Return one row per listed table: Heap's own if it came in the table's last dump or later, else ours."""
    rows = []
    for table in table_names(dumps):
        if table in roles.SYSTEM_TABLES:
            continue
        dump, listed = deliveries(dumps, table)[-1]
        told = _row_of_heap(truths.get("_sync_info"), table, dump.dump_id)
        rows.append((names[table], *(told or _row_of_ours(root, dump, listed, files, truths.get(table)))))
    return rows


def _row_of_heap(delivered: Truth | None, table: str, since: int) -> tuple | None:
    told = [row for row in delivered.rows if row.values.get("event_table_name") == table] if delivered else []
    told = [row for row in told if row.rank[0] >= since]
    if not told:
        return None

    def newness(place: int) -> tuple:
        ended = told[place].values.get("sync_ended")
        return (told[place].rank[0], ended is not None, ended or EPOCH, told[place].rank)

    values = told[max(range(len(told)), key=newness)].values
    return (*(values.get(name) for name in roles.SYNC_INFO_TIMES), as_id(values.get("inserted_row_count")))


def _row_of_ours(root: Path, dump: Manifest, listed: Listed, files: Opened, table: Truth | None) -> tuple:
    started = _earliest(path_below(root, dump.dump_id, key) for key in listed.files)
    inserted = sum(len(files[dump.dump_id, key].rows) for key in listed.files)
    times = [row.values.get(roles.newness_column(listed.name)) for row in table.rows] if table else []
    past = [time for time in times if time is not None and time <= dump.modified]
    return (started, dump.modified, max(past, default=None), inserted)


def sync_history(root: Path, dumps: Sequence[Manifest]) -> list[tuple]:
    """Return one row per dump: what its sync report says, else what the files' times say."""
    reports = sync_reports(root)
    rows = []
    for dump in dumps:
        report = reports.get(dump.dump_id)
        if report is None:
            keys = [key for listed in dump.tables for key in listed.files]
            started = _earliest(path_below(root, dump.dump_id, key) for key in keys)
            rows.append((dump.dump_id, "succeeded", started, dump.modified, None, None))
        else:
            start, finish, following = (as_time(report.get(name)) for name in _REPORT_TIMES)
            status, error = (_told(report.get(name)) for name in ("status", "error"))
            rows.append((dump.dump_id, status, start, finish, error, following))
    return rows


_REPORT_TIMES = ("start_time", "finish_time", "next_sync_at")


def _told(value: object) -> str | None:
    if isinstance(value, dict | list):
        return json.dumps(value)
    return None if value is None else as_text(value)


def _earliest(paths: Iterable[Path]) -> datetime | None:
    return min((modified(path) for path in paths if path.exists()), default=None)
