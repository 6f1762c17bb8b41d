"""_sync_info and _sync_history: what Heap tells its warehouses of each sync, made of manifests and reports.

In: one row per table or dump as the ledger knows them. Out: the documented columns, times UTC.
Source: Heap's data schema page for names and meanings, CONTRACT section 4 for where each value comes from.
"""

import polars as pl

from heap_assets.expressions.polars.times import time_from
from heap_assets.schema.heap_tables import SYNC_HISTORY, SYNC_INFO
from heap_assets.schema.value_types import ValueType

SYNC_INFO_SCHEMA = {column.name: column.type.polars for column in SYNC_INFO.columns}
SYNC_HISTORY_SCHEMA = {column.name: column.type.polars for column in SYNC_HISTORY.columns}


def sync_info(ours: pl.DataFrame, heaps: pl.DataFrame) -> pl.DataFrame:
    """Return one row per table, Heap's own where it delivered one with the table's last dump or later.

    ``ours`` has the columns of _sync_info and ``dump_id``, the last dump that lists the table; ``heaps`` are delivered
    rows with ``dump_id``, in delivered order. Of Heap's the newest dump's counts, in it the one that ended last.
    """
    newest_last = heaps.sort("dump_id", "sync_ended", nulls_last=False, maintain_order=True)
    last = newest_last.unique("event_table_name", keep="last", maintain_order=True)
    newer = last.join(ours.select("event_table_name", pl.col("dump_id").alias("listed")), on="event_table_name")
    newer = newer.filter(pl.col("dump_id") >= pl.col("listed"))
    kept = ours.join(newer, on="event_table_name", how="anti")
    columns = list(SYNC_INFO_SCHEMA)
    return pl.concat([kept.select(columns), newer.select(columns)]).sort("event_table_name")


def sync_history(dumps: pl.DataFrame) -> pl.DataFrame:
    """Return one row per dump, from its report where it has one, else from its manifest and files.

    ``dumps`` has dump_id, ``reported`` (whether there is a report), ``status, error`` and as text ``report_start,
    report_finish, next_sync_at`` from it, and ``first_file, manifest`` (Datetime us).
    """

    def time(column: str) -> pl.Expr:
        return time_from(pl.col(column), ValueType.TEXT)

    reported = pl.col("reported")
    return dumps.select(
        "dump_id",
        pl.when(reported).then("status").otherwise(pl.lit("succeeded")).alias("status"),
        pl.when(reported).then(time("report_start")).otherwise("first_file").alias("start_time"),
        pl.when(reported).then(time("report_finish")).otherwise("manifest").alias("finish_time"),
        pl.when(reported).then("error").alias("error"),
        pl.when(reported).then(time("next_sync_at")).alias("next_scheduled_sync_at"),
    ).sort("dump_id")
