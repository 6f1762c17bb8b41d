"""Reading a table of the user's own with DuckDB: CSV, Parquet, another DuckDB file, Postgres.

Here: rows to a Parquet file, the key as text. Postgres needs DuckDB's extension of that name, which DuckDB fetches on
first use. Not here: CSV (csv_files.py), who the rows are about (transforms/people.py).
"""

from collections.abc import Mapping
from pathlib import Path

import duckdb

from heap_assets.errors import SourceError
from heap_assets.expressions.duckdb.quoting import file_list, identifier, literal
from heap_assets.sources.external.csv_files import CsvFile, csv_file
from heap_assets.sources.external.table import ExternalTable

_LONGEST_CAUSE = 300
_AS_TEXT = {"HUGEINT", "UHUGEINT", "BIGNUM", "UUID", "BIT", "INTERVAL", "TIME WITH TIME ZONE"}
"""Types that Parquet has not: DuckDB would write whole numbers of 23 digits as doubles."""


def copy_external_table(other: ExternalTable, into: Path) -> None:
    """Write the table's rows into a Parquet file, with its key as text; of a CSV file every column is text.

    Raises:
        SourceError: It cannot be read, or has no such column; the message names the table (of a file its name, the line
            and the column), and the cause, never an address.
    """
    found: CsvFile | None = None
    try:
        if other.kind == "csv":
            found = csv_file(Path(other.place))
        with duckdb.connect() as connection:
            if other.kind in {"duckdb", "postgres"}:
                how = "READ_ONLY" if other.kind == "duckdb" else "TYPE postgres, READ_ONLY"
                connection.execute(f"ATTACH {literal(other.place)} AS other ({how})")
            query = _query(other) if found is None else found.select()
            described = connection.execute(f"DESCRIBE {query}").fetchall()
            columns = _columns({name: str(kind) for name, kind, *_ in described}, other)
            connection.execute(f"COPY (SELECT {columns} FROM ({query})) TO {literal(str(into))} (FORMAT parquet)")
    except SourceError as error:
        raise SourceError(f"The table {other.name} of HEAP_OTHER_TABLE cannot be read: {error}") from None
    except (duckdb.Error, OSError) as error:
        cause = _cause(error, other) if found is None else found.problem() or _cause(error, other)
        where = f"{Path(other.place).name}, " if found is not None else ""
        raise SourceError(f"The table {other.name} of HEAP_OTHER_TABLE cannot be read: {where}{cause}") from None


def _query(other: ExternalTable) -> str:
    if other.kind == "parquet":
        return f"SELECT * FROM read_parquet({file_list([other.place])})"
    return f"SELECT * FROM {identifier('other', *other.table)}"


def _columns(kinds: Mapping[str, str], other: ExternalTable) -> str:
    if other.column not in kinds:
        place = f"{Path(other.place).name}, line 1: " if other.kind == "csv" else ""
        raise SourceError(
            f"{place}it has no column {other.column}; set HEAP_OTHER_KEY to one of its columns, as in"
            f" {next(iter(kinds))}={other.key}."
        )
    as_text = {name for name, kind in kinds.items() if name == other.column or kind in _AS_TEXT}
    return ", ".join(
        f"CAST({quoted} AS VARCHAR) AS {quoted}" if name in as_text else quoted
        for name, quoted in ((name, identifier(name)) for name in kinds)
    )


def _cause(error: Exception, other: ExternalTable) -> str:
    said = " ".join(str(error).replace(other.place, "<HEAP_OTHER_TABLE>").split())
    return said if len(said) <= _LONGEST_CAUSE else f"{said[:_LONGEST_CAUSE]}…"
