"""Which rows are superseded: of rows with one key the newest counts.

Duplicates are few and rows are wide, so nothing here touches a wide row: the rows whose entity (event, session, user)
occurs more than once are found on the key alone, and the losers among them are named by row id. Because they are kept,
the same question can be asked again with resolved users, when a merge brings two recorded users together.

Key frames have $row_id, $dump_id, entity (Int64), owner (Int64, the user; null where the key is one id) and newest_by
(Datetime us). Source: CONTRACT section 2. Measured: 0.3-0.7 s for 8 million rows, 40 s for unique() on the wide rows.
"""

import polars as pl

from heap_assets.catalog import RawTable
from heap_assets.columns import DUMP_ID, ROW_ID, ValueType, stored_name

ENTITY, OWNER, NEWEST_BY = "entity", "owner", "newest_by"
KEY_COLUMNS = (ROW_ID, DUMP_ID, ENTITY, OWNER, NEWEST_BY)


def keys(rows: pl.LazyFrame, table: RawTable) -> pl.LazyFrame:
    """Return the key frame of stored rows; rows without a required id are not part of the table."""
    owner = table.key[1] if len(table.key) > 1 else None
    return rows.filter(has_required_ids(table)).select(
        ROW_ID,
        DUMP_ID,
        pl.col(stored_name(table.entity, ValueType.LONG)).alias(ENTITY),
        (pl.col(stored_name(owner, ValueType.LONG)) if owner else pl.lit(None, dtype=pl.Int64)).alias(OWNER),
        pl.col(stored_name(table.newest_by, ValueType.TIME)).alias(NEWEST_BY),
    )


def has_required_ids(table: RawTable) -> pl.Expr:
    """Return whether a stored row has every id that it needs."""
    return pl.all_horizontal(pl.col(stored_name(column, ValueType.LONG)).is_not_null() for column in table.required)


def repeated_entities(entities: pl.DataFrame) -> pl.DataFrame:
    """Return the entities that stand more than once in a frame with the column entity, each once."""
    return entities.filter(pl.col(ENTITY).is_duplicated()).unique()


def superseded(overlaps: pl.DataFrame) -> pl.Series:
    """Return the row ids that lose against another row of their key.

    The newest dump wins, in it the greatest newest_by (null oldest), then the row that was delivered last.

    >>> rows = pl.DataFrame({ROW_ID: [0, 1, 2], DUMP_ID: [1, 2, 2], ENTITY: [7, 7, 7], OWNER: [1, 1, 2],
    ...                      NEWEST_BY: [None, None, None]})
    >>> superseded(rows).to_list()
    [0]
    """
    ordered = overlaps.sort(ENTITY, OWNER, DUMP_ID, NEWEST_BY, ROW_ID, nulls_last=False)
    same_key = (pl.col(key).eq_missing(pl.col(key).shift(-1)) for key in (ENTITY, OWNER))
    newer_follows = pl.all_horizontal(*same_key, pl.int_range(pl.len()) < pl.len() - 1)
    return ordered.filter(newer_follows)[ROW_ID].sort()


def superseded_when_merged(
    overlaps: pl.DataFrame, superseded_before: pl.Series, identity_map: pl.DataFrame
) -> pl.Series:
    """Return the row ids that lose once users are resolved, from those that do without.

    Only where an entity stands under several users can a merge make two keys one.

    >>> rows = pl.DataFrame({ROW_ID: [0, 1], DUMP_ID: [1, 2], ENTITY: [7, 7], OWNER: [1, 2], NEWEST_BY: [None, None]})
    >>> merged = pl.DataFrame({"user_id": [1], "resolved_user_id": [2]})
    >>> superseded_when_merged(rows, superseded(rows), merged).to_list()
    [0]
    """
    owners = overlaps.group_by(ENTITY).agg(pl.col(OWNER).min().alias("least"), pl.col(OWNER).max().alias("greatest"))
    contested = owners.filter(pl.col("least") != pl.col("greatest"))[ENTITY].implode()
    is_contested = overlaps[ENTITY].is_in(contested)
    settled = superseded_before.filter(~superseded_before.is_in(overlaps.filter(is_contested)[ROW_ID].implode()))
    return pl.concat([settled, superseded(_resolved_owners(overlaps.filter(is_contested), identity_map))]).sort()


def _resolved_owners(overlaps: pl.DataFrame, identity_map: pl.DataFrame) -> pl.DataFrame:
    """Return the key frame with the resolved user as owner."""
    resolved = identity_map.rename({"user_id": OWNER, "resolved_user_id": "resolved"})
    return (
        overlaps.join(resolved, on=OWNER, how="left")
        .with_columns(pl.coalesce("resolved", OWNER).alias(OWNER))
        .select(KEY_COLUMNS)
    )
