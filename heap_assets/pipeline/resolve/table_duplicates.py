"""The overlaps of a table: its rows whose entity stands more than once, settled which of them lose.

While older deliveries stay they follow from what came alone; else they are found anew, with the table's sums and user
rows in the same pass, since decoding the keys is what costs. Not here: the rules (transforms/duplicates.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import kept_rows
from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.pipeline.resolve.identity import Identity
from heap_assets.pipeline.resolve.resolved_state import TableState
from heap_assets.pipeline.resolve.table_facts import TableSums, grown_sums, summing, table_sums
from heap_assets.pipeline.resolve.user_rows import counting_users, with_user_rows
from heap_assets.schema.stored_columns import ROW_ID
from heap_assets.transforms import duplicates as overlaps
from heap_assets.transforms.duplicates import ENTITY, KEY_COLUMNS, LOSES, LOSES_WHEN_MERGED

_KEY_SCHEMA = {column: pl.Int64() for column in KEY_COLUMNS} | {overlaps.NEWEST_BY: pl.Datetime("us")}
_NONE = pl.DataFrame(schema=_KEY_SCHEMA | {LOSES: pl.Boolean(), LOSES_WHEN_MERGED: pl.Boolean()})


@dataclass(frozen=True, slots=True)
class TableOverlaps:
    """The settled key frame, and where it, the table's sums and its user rows are kept.

    ``touched`` is the key frame of what came and of all that shares an entity with it, if only that was looked at.
    """

    settled: pl.DataFrame
    path: str | None
    sums: TableSums
    user_rows: tuple[str, ...]
    touched: pl.DataFrame | None = None

    def superseded(self) -> pl.Series:
        """Return the row ids that do not count with users as recorded."""
        return self.settled.filter(LOSES)[ROW_ID]

    def superseded_when_merged(self) -> pl.Series:
        """Return the row ids that do not count with users resolved."""
        return self.settled.filter(LOSES_WHEN_MERGED)[ROW_ID]


def table_overlaps(
    storage: Storage, table: CurrentTable, before: TableState | None, known: Callable[[], Identity]
) -> TableOverlaps:
    """Return the overlaps; who is whom is asked for when the rows have been read, for it is found meanwhile."""
    covers = set(table.covers())
    if before is None or not set(before.covers) <= covers:
        return _all_overlaps(storage, table, known)
    settled_before = _NONE
    if before.overlaps is not None:
        settled_before = pl.read_parquet(storage.local_copy(before.overlaps), glob=False)
    new = covers - set(before.covers)
    arrived = None
    touched = pl.DataFrame(schema=_KEY_SCHEMA)
    user_rows = before.user_rows
    if table.table.key and new:
        arrived = overlaps.keys(table.stored(new), table.table).cast(_KEY_SCHEMA).collect(engine="streaming")  # type: ignore[arg-type]
        met = table.keys_of(arrived[ENTITY].unique(), set(before.covers)).cast(_KEY_SCHEMA)  # type: ignore[arg-type]
        touched = pl.concat([met, arrived])
        counted = counting_users(table, arrived.lazy()).collect()
        user_rows = with_user_rows(storage, user_rows, counted, about=table.name)
    identity = known()
    moved = identity.moved["user_id"]
    settled = overlaps.resettled(settled_before, touched, moved=moved, identity_map=identity.map)
    path = before.overlaps if settled is settled_before else _kept(storage, settled, table)
    sums = grown_sums(table, before.sums, arrived)
    return TableOverlaps(settled, path, sums, user_rows, None if arrived is None else touched)


def _all_overlaps(storage: Storage, table: CurrentTable, known: Callable[[], Identity]) -> TableOverlaps:
    if not table.table.key:
        return TableOverlaps(_NONE, None, grown_sums(table, None), ())
    keys = overlaps.keys(table.stored(), table.table).cast(_KEY_SCHEMA)  # type: ignore[arg-type]
    entities, summed, counted = pl.collect_all(
        [keys.select(ENTITY), summing(table, keys), counting_users(table, keys)], engine="streaming"
    )
    repeated = overlaps.repeated_entities(entities)[ENTITY]
    found = table.keys_of(repeated).cast(_KEY_SCHEMA) if len(repeated) else pl.DataFrame(schema=_KEY_SCHEMA)  # type: ignore[arg-type]
    settled = overlaps.settled(found.sort(ROW_ID), known().map)
    path = _kept(storage, settled, table) if len(settled) else None
    user_rows = with_user_rows(storage, (), counted, about=table.name)
    return TableOverlaps(settled, path, table_sums(table, summed), user_rows)


def _kept(storage: Storage, settled: pl.DataFrame, table: CurrentTable) -> str:
    return kept_rows(storage, "resolved", settled, about=table.name).path
