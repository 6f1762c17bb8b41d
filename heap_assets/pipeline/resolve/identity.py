"""Identity: who is whom now, and who resolves otherwise than when the last resolution looked.

Here: from the delivered merges to the identity map, kept as a file. Not here: the rules (transforms/identity.py), whom
a change concerns (merged_users.py, build/changed_users.py).
"""

from dataclasses import dataclass

import polars as pl

from heap_assets.lake.storage import Storage
from heap_assets.lake.written_files import write_file
from heap_assets.pipeline.resolve.current_tables import CurrentTable
from heap_assets.transforms.identity import identity_map, remapped_users

_NO_ROWS = pl.Series(dtype=pl.Int64)
_NO_MIGRATIONS = pl.DataFrame(schema={"from_user_id": pl.Int64(), "to_user_id": pl.Int64(), "time": pl.Datetime("us")})


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity map, its file in the lake, and who was remapped since an earlier one (remapped_users)."""

    map: pl.DataFrame
    file: str
    remapped: pl.DataFrame


def identity(storage: Storage, migrations: CurrentTable | None, before: str | None) -> Identity:
    """Return who is whom by the table of merges; ``before`` is the file of the earlier map, which stays if it holds."""
    known = identity_map(migration_rows(migrations))
    was = known.clear() if before is None else pl.read_parquet(storage.local_copy(before), glob=False)
    file = before if before is not None and was.equals(known) else None
    return Identity(
        map=known,
        file=file or write_file(storage, "resolved", known, about="identity_map").path,
        remapped=remapped_users(was, known),
    )


def migration_rows(table: CurrentTable | None) -> pl.DataFrame:
    """Return all rows of the current delivery, duplicates included: the identity rule chooses among them."""
    if table is None:
        return _NO_MIGRATIONS
    rows = table.rows(_NO_ROWS)
    if table.table_schema.column("time") is None:
        rows = rows.with_columns(pl.lit(None, dtype=pl.Datetime("us")).alias("time"))
    return rows.select("from_user_id", "to_user_id", "time").collect()
