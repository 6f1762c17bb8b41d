"""What the rows of a table say in sum: counts, and the first and last time.

Sums are taken over all rows with their ids, in the pass that looks for overlaps, and then corrected by the few rows
that are superseded. Not here: which rows those are (transforms/overlaps.py).
"""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from heap_assets.catalog import USERS
from heap_assets.columns import ROW_ID, ValueType, stored_name
from heap_assets.pipeline.current import CurrentTable
from heap_assets.transforms.overlaps import ENTITY, NEWEST_BY, OWNER

_NONE = pl.Series(dtype=pl.Int64)
_TIMES = ("first_time", "last_time", "synced_to")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """Counts and times of a table; times UTC without zone."""

    rows: int = 0
    migrated_rows: int = 0
    merged_rows: int = 0
    quarantined_rows: int = 0
    first_time: datetime | None = None
    last_time: datetime | None = None
    synced_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Superseded:
    """Row ids that do not count: with users as recorded, and with users resolved."""

    recorded: pl.Series
    migrated: pl.Series


def table_sums(table: CurrentTable, identity_map: pl.DataFrame) -> pl.LazyFrame:
    """Return one row of sums over all rows that have their ids, superseded ones included."""
    return _sums(table, table.kept(_NONE), identity_map)


def table_facts(
    table: CurrentTable,
    sums: pl.DataFrame | None,
    overlaps: pl.DataFrame,
    superseded: Superseded,
    identity_map: pl.DataFrame,
) -> TableFacts:
    """Return the facts: the sums without the superseded rows, which the key frame ``overlaps`` has."""
    if sums is None:
        raise ValueError("there are no sums")
    summed = sums.row(0, named=True)
    lost = overlaps.filter(pl.col(ROW_ID).is_in(superseded.recorded.implode()))
    if lost[NEWEST_BY].is_in([summed[name] for name in _TIMES]).any():
        kept = _sums(table, table.kept(superseded.recorded), identity_map).collect(engine="streaming")
        facts = kept.row(0, named=True)
    else:
        facts = {**summed, "rows": summed["rows"] - len(lost)}
        if _has_users(table):
            users = lost[ENTITY if table.table is USERS else OWNER]
            facts["merged_rows"] -= int(users.is_in(identity_map["user_id"].implode()).sum())
    delivered = sum(file.rows for file in table.files)
    return TableFacts(
        **facts,
        migrated_rows=facts["rows"] + len(superseded.recorded) - len(superseded.migrated),
        quarantined_rows=delivered - facts["rows"] - len(superseded.recorded) if table.shape.unkeyed else 0,
    )


def _sums(table: CurrentTable, rows: pl.LazyFrame, identity_map: pl.DataFrame) -> pl.LazyFrame:
    time = pl.col(stored_name(table.table.newest_by, ValueType.TIME))
    ended = table.last_listed.dump.modified.replace(tzinfo=None)
    merged = pl.lit(0, dtype=pl.Int64)
    if _has_users(table):
        users = pl.col(stored_name("user_id", ValueType.LONG))
        merged = users.is_in(identity_map["user_id"].implode()).sum().cast(pl.Int64)
    return rows.select(
        rows=pl.len().cast(pl.Int64),
        merged_rows=merged,
        first_time=time.min(),
        last_time=time.max(),
        synced_to=time.filter(time <= ended).max(),
    )


def _has_users(table: CurrentTable) -> bool:
    return table.table.is_event_like or table.table is USERS
