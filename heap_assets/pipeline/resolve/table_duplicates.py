"""The duplicates of a table: its rows whose entity stands more than once, and which of them lose.

While older deliveries stay they follow from new rows alone; else they are recomputed, with the table's sums and user
rows in the same pass, since decoding the keys is what costs. Not here: the rules (transforms/duplicates.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.limits import Limits
from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.pipeline.resolve.identity import Identity
from heap_assets.pipeline.resolve.resolved_state import TableState
from heap_assets.pipeline.resolve.table_facts import TableSums, grown_sums, summing, table_sums
from heap_assets.pipeline.resolve.user_rows import counting_users, with_user_rows
from heap_assets.schema.stored_columns import ROW_ID
from heap_assets.transforms import duplicates
from heap_assets.transforms.duplicates import ENTITY, KEY_COLUMNS, LOSES, LOSES_WHEN_MERGED

_KEY_SCHEMA = {column: pl.Int64() for column in KEY_COLUMNS} | {duplicates.NEWEST_BY: pl.Datetime("us")}
_NONE = pl.DataFrame(schema=_KEY_SCHEMA | {LOSES: pl.Boolean(), LOSES_WHEN_MERGED: pl.Boolean()})


@dataclass(frozen=True, slots=True)
class TableDuplicates:
    """The key frame of duplicates, and where it, the table's sums and its user rows are kept.

    ``touched`` is the key frame of the new rows and of all that share an entity with one, if only those were read.
    """

    with_duplicates: pl.DataFrame
    path: str | None
    sums: TableSums
    user_rows: tuple[str, ...]
    touched: pl.DataFrame | None = None

    def superseded(self) -> pl.Series:
        """Return the row ids that do not count with users as recorded."""
        return self.with_duplicates.filter(LOSES)[ROW_ID]

    def superseded_when_merged(self) -> pl.Series:
        """Return the row ids that do not count with users resolved."""
        return self.with_duplicates.filter(LOSES_WHEN_MERGED)[ROW_ID]


def table_duplicates(
    storage: Storage, table: CurrentTable, before: TableState | None, known: Callable[[], Identity], limits: Limits
) -> TableDuplicates:
    """Return the duplicates; who is whom is asked for when the rows have been read, for it is found meanwhile."""
    deliveries = set(table.deliveries())
    if before is None or not set(before.deliveries) <= deliveries:
        return _all_duplicates(storage, table, known, limits)
    before_them = _NONE
    if before.duplicates is not None:
        before_them = pl.read_parquet(storage.local_copy(before.duplicates), glob=False)
    new = deliveries - set(before.deliveries)
    new_rows = None
    touched = pl.DataFrame(schema=_KEY_SCHEMA)
    user_rows = before.user_rows
    if table.table.key and new:
        new_rows = duplicates.keys(table.stored(new), table.table).cast(_KEY_SCHEMA).collect(engine="streaming")  # type: ignore[arg-type]
        known_rows = table.keys_of(new_rows[ENTITY].unique(), set(before.deliveries)).cast(_KEY_SCHEMA)  # type: ignore[arg-type]
        touched = pl.concat([known_rows, new_rows])
        counted = counting_users(table, new_rows.lazy()).collect()
        most = limits.most_user_row_files
        user_rows = with_user_rows(storage, user_rows, counted, about=table.name, most_files=most)
    identity = known()
    remapped = identity.remapped["user_id"]
    with_duplicates = duplicates.updated_duplicates(before_them, touched, remapped=remapped, identity_map=identity.map)
    path = before.duplicates if with_duplicates is before_them else _kept(storage, with_duplicates, table)
    sums = grown_sums(table, before.sums, new_rows, most_ahead=limits.most_times_ahead)
    return TableDuplicates(with_duplicates, path, sums, user_rows, None if new_rows is None else touched)


def _all_duplicates(
    storage: Storage, table: CurrentTable, known: Callable[[], Identity], limits: Limits
) -> TableDuplicates:
    most_ahead = limits.most_times_ahead
    if not table.table.key:
        return TableDuplicates(_NONE, None, grown_sums(table, None, most_ahead=most_ahead), ())
    keys = duplicates.keys(table.stored(), table.table).cast(_KEY_SCHEMA)  # type: ignore[arg-type]
    entities, summed, counted = pl.collect_all(
        [keys.select(ENTITY), summing(table, keys, most_ahead=most_ahead), counting_users(table, keys)],
        engine="streaming",
    )
    repeated = duplicates.repeated_entities(entities)[ENTITY]
    found = table.keys_of(repeated).cast(_KEY_SCHEMA) if len(repeated) else pl.DataFrame(schema=_KEY_SCHEMA)  # type: ignore[arg-type]
    with_duplicates = duplicates.with_duplicates(found.sort(ROW_ID), known().map)
    path = _kept(storage, with_duplicates, table) if len(with_duplicates) else None
    user_rows = with_user_rows(storage, (), counted, about=table.name, most_files=limits.most_user_row_files)
    return TableDuplicates(with_duplicates, path, table_sums(table, summed, most_ahead=most_ahead), user_rows)


def _kept(storage: Storage, with_duplicates: pl.DataFrame, table: CurrentTable) -> str:
    return write_file(storage, "resolved", with_duplicates, about=table.name).path
