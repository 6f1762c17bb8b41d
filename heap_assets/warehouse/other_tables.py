"""Reading a table of the user's own with DuckDB: CSV, Parquet, another DuckDB file, Postgres.

Here: rows to a Parquet file. Postgres needs DuckDB's extension of that name, which DuckDB fetches on first use.
Not here: who the rows are about (transforms/people.py).
"""

from pathlib import Path

import duckdb

from heap_assets.errors import SourceError
from heap_assets.other_table import OtherTable
from heap_assets.warehouse.sql import file_list, identifier, literal


def copy_other_table(other: OtherTable, into: Path) -> None:
    """Write the table's rows into a Parquet file.

    Raises:
        SourceError: It cannot be read; the message names the table and what DuckDB says, never the address.
    """
    try:
        with duckdb.connect() as connection:
            if other.kind in {"duckdb", "postgres"}:
                how = "READ_ONLY" if other.kind == "duckdb" else "TYPE postgres, READ_ONLY"
                connection.execute(f"ATTACH {literal(other.place)} AS other ({how})")
            connection.execute(f"COPY (SELECT * FROM {_rows(other)}) TO {literal(str(into))} (FORMAT parquet)")
    except duckdb.Error as error:
        said = str(error).splitlines()[0].replace(other.place, "<HEAP_OTHER_TABLE>")
        raise SourceError(f"The table {other.name} of HEAP_OTHER_TABLE cannot be read: {said}") from None


def _rows(other: OtherTable) -> str:
    match other.kind:
        case "csv":
            return f"read_csv({file_list([other.place])})"
        case "parquet":
            return f"read_parquet({file_list([other.place])})"
        case "duckdb" | "postgres":
            return identifier("other", *other.table)
