"""The key check: no table is published whose rows share a key, and no dump of which most rows lack their ids.

What was found in order is remembered with the lake, so each delivery is looked at once; what was not is looked at by
every run until it is mended. Here: which rows to look at. Not here: rules (quality/keys.py), who stops (the caller).
"""

from collections.abc import Mapping

import polars as pl
from pydantic import TypeAdapter

from heap_assets.errors import KeyCheckError
from heap_assets.lake.state import Part
from heap_assets.lake.storage import Storage
from heap_assets.pipeline.resolve.resolution import Resolution, ResolvedTable
from heap_assets.quality.keys import delivery_outcome, key_outcome
from heap_assets.quality.outcome import Outcome
from heap_assets.schema.stored_columns import DUMP_ID, ROW_ID, stored_name
from heap_assets.schema.value_types import ValueType
from heap_assets.transforms import duplicates
from heap_assets.transforms.duplicates import ENTITY, OWNER, has_required_ids

VERIFIED = Part("verified", TypeAdapter(dict[str, tuple[str, ...]]), without={})


def key_outcomes(storage: Storage, resolution: Resolution, *, again: bool = False) -> Mapping[str, Outcome]:
    """Return what was found in each table that has deliveries not looked at.

    With ``again`` every table is looked at, and nothing is remembered.
    """
    verified = {} if again else VERIFIED.read(storage)
    outcomes = {
        name: _outcome(table, frozenset(verified.get(name, ())))
        for name, table in resolution.tables.items()
        if table.current.table.key and set(verified.get(name, ())) != set(table.current.deliveries())
    }
    after = {
        name: table.current.deliveries()
        for name, table in resolution.tables.items()
        if (outcomes[name].passed if name in outcomes else name in verified)
    }
    if after != verified and not again:
        VERIFIED.write(storage, after)
    return outcomes


def refuse_failed_keys(outcomes: Mapping[str, Outcome]) -> None:
    """Raise ``KeyCheckError`` if a table's key check failed."""
    failed = {name: outcome for name, outcome in outcomes.items() if not outcome.passed}
    if failed:
        raise KeyCheckError(
            " ".join(f"Table {name}: {found.message} Rows: {'; '.join(found.keys)}." for name, found in failed.items())
        )


def _outcome(table: ResolvedTable, verified: frozenset[str]) -> Outcome:
    current = table.current
    deliveries = set(current.deliveries())
    if not deliveries:
        return key_outcome(pl.DataFrame(schema=dict.fromkeys(current.table.key, pl.Int64())), rows=0)
    new = deliveries - verified
    if new and (damaged := _damaged(table, new)) is not None:
        return damaged
    if verified and verified < deliveries:  # rows that were in order can only meet new ones
        counting = _met(table, new).join(table.superseded.to_frame(ROW_ID), on=ROW_ID, how="anti")
        repeated = counting.filter(pl.col(ENTITY).is_duplicated())
        rows = len(counting)
    else:
        kept = duplicates.keys(current.kept(table.superseded), current.table)
        entities = kept.select(ENTITY).collect(engine="streaming")
        again = duplicates.repeated_entities(entities)
        repeated = kept.join(again.lazy(), on=ENTITY, how="semi").collect(engine="streaming")
        rows = len(entities)
    columns = dict(zip((ENTITY, OWNER), current.table.key, strict=False))
    return key_outcome(repeated.select(*columns).rename(columns), rows=rows)


def _met(table: ResolvedTable, new: set[str]) -> pl.DataFrame:
    """Return the key frame of the rows of these deliveries, and of all that share an entity with one."""
    current = table.current
    if table.duplicates.touched is not None and not new & table.since:
        return table.duplicates.touched
    arrived = duplicates.keys(current.stored(new), current.table).select(ENTITY).collect(engine="streaming")
    return current.keys_of(arrived[ENTITY].unique())


def _damaged(table: ResolvedTable, new: set[str]) -> Outcome | None:
    """Return what is wrong with the first delivery of which too many rows lack an id."""
    current = table.current
    if not current.table_schema.unkeyed:
        return None
    delivered: dict[str, int] = {}
    for file in current.files_of(new):
        delivered[file.delivery] = delivered.get(file.delivery, 0) + file.rows
    ids = [pl.col(stored_name(column, ValueType.LONG)).alias(column) for column in current.table.required]
    lacking = (
        current.stored(new)
        .filter(~has_required_ids(current.table))
        .select(ROW_ID, DUMP_ID, *ids)
        .sort(ROW_ID)
        .collect(engine="streaming")
    )
    for delivery, rows in delivered.items():
        dump_id = int(delivery.partition("-")[0])
        of_dump = lacking.filter(pl.col(DUMP_ID) == dump_id).select(current.table.required)
        if (found := delivery_outcome(of_dump, dump_id=dump_id, rows=rows)) is not None:
            return found
    return None
