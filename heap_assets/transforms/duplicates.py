"""Which rows are superseded: of rows with one key the newest counts.

Duplicates are few and rows are wide, so nothing here touches a wide row: the rows whose entity (event, session, user)
occurs more than once are found on the key alone, and the losers among them are named by row id. Because they are kept,
the same question can be asked again with resolved users, when a merge brings two recorded users together.

Key frames have $row_id, $dump_id, entity, owner (Int64; the user, null where the key is one id) and newest_by (Datetime
us); ``with_duplicates`` adds loses and loses_when_merged (Boolean). Source: CONTRACT section 2. 8 million rows: 0.5 s.
"""

import polars as pl

from heap_assets.schema.heap_tables import RawTable
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, stored_name
from heap_assets.schema.value_types import ValueType

ENTITY, OWNER, NEWEST_BY = "entity", "owner", "newest_by"
KEY_COLUMNS = (ROW_ID, DUMP_ID, ENTITY, OWNER, NEWEST_BY)
LOSES, LOSES_WHEN_MERGED = "loses", "loses_when_merged"
_RESOLVED = "$resolved"


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
    """Return the entities that stand more than once in a frame with the column entity, none of them null, each once.

    Sorting one column takes a quarter of the time of counting its values.
    """
    found = entities[ENTITY].sort()
    return found.filter(found == found.shift(1)).unique().to_frame()


def with_duplicates(duplicates: pl.DataFrame, identity_map: pl.DataFrame) -> pl.DataFrame:
    """Return the key frame with whether each row is superseded: with users as recorded, and with users resolved.

    The newest dump wins, in it the greatest newest_by (null oldest), then the row that was delivered last. Rows come
    in another order. Only where an entity stands under several users can a merge make two keys one.

    >>> rows = {ROW_ID: [0, 1, 2], DUMP_ID: [1, 2, 2], ENTITY: [7, 7, 7], OWNER: [1, 1, 2], NEWEST_BY: [None] * 3}
    >>> merged = pl.DataFrame({"user_id": [2], "resolved_user_id": [1]})
    >>> with_duplicates(pl.DataFrame(rows), merged).sort(ROW_ID).select(ROW_ID, LOSES, LOSES_WHEN_MERGED).rows()
    [(0, True, True), (1, False, True), (2, False, False)]
    """
    recorded = _with_losers(duplicates, OWNER, LOSES)
    same_entity = pl.col(ENTITY) == pl.col(ENTITY).shift(1)
    under_several = recorded.filter(same_entity & (pl.col(OWNER) != pl.col(OWNER).shift(1)))[ENTITY]
    contested = pl.col(ENTITY).is_in(under_several.unique().implode())
    apart = recorded.filter(~contested).with_columns(pl.col(LOSES).alias(LOSES_WHEN_MERGED))
    together = _with_resolved_owners(recorded.filter(contested), identity_map)
    merged = _with_losers(together, _RESOLVED, LOSES_WHEN_MERGED).drop(_RESOLVED)
    return pl.concat([apart, merged])


def _with_losers(duplicates: pl.DataFrame, owner: str, loses: str) -> pl.DataFrame:
    """Return the frame by entity and owner, with whether a newer row of both follows."""
    ordered = duplicates.sort(ENTITY, owner, DUMP_ID, NEWEST_BY, ROW_ID, nulls_last=False)
    same_entity = (pl.col(ENTITY) == pl.col(ENTITY).shift(-1)).fill_null(value=False)
    return ordered.with_columns((same_entity & pl.col(owner).eq_missing(pl.col(owner).shift(-1))).alias(loses))


def _with_resolved_owners(duplicates: pl.DataFrame, identity_map: pl.DataFrame) -> pl.DataFrame:
    affected = pl.col("user_id").is_in(duplicates[OWNER].unique().implode())
    known = identity_map.filter(affected).rename({"user_id": OWNER, "resolved_user_id": _RESOLVED})
    found = duplicates.join(known, on=OWNER, how="left")
    return found.with_columns(pl.coalesce(_RESOLVED, OWNER).alias(_RESOLVED))


def updated_duplicates(
    before: pl.DataFrame, touched: pl.DataFrame, *, remapped: pl.Series, identity_map: pl.DataFrame
) -> pl.DataFrame:
    """Return ``with_duplicates`` after rows came and users were remapped; ``before`` itself if it still holds.

    ``touched`` is the key frame of the new rows and of all that share an entity with one, ``remapped`` are the recorded
    users who resolve otherwise than before. What shares no entity with a new row, and no user with these, stays.
    """
    repeated = touched.filter(pl.col(ENTITY).is_duplicated())
    moving = before.filter(pl.col(OWNER).is_in(remapped.implode()))
    entities = pl.concat([repeated[ENTITY], moving[ENTITY]]).unique()
    if entities.is_empty():
        return before
    affected = before[ENTITY].is_in(entities.implode())
    known = before.filter(affected).select(KEY_COLUMNS)
    new = repeated.filter(~pl.col(ROW_ID).is_in(known[ROW_ID].implode())).select(KEY_COLUMNS)
    return pl.concat([before.filter(~affected), with_duplicates(pl.concat([known, new]), identity_map)])
