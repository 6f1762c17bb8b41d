"""A table of the user's own that is brought next to Heap's: where it is, what it is called, what joins it.

Here: the two settings as one value. Not here: reading it (reading.py), the join (transforms/people.py).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from heap_assets.errors import SettingsError
from heap_assets.places import local_path
from heap_assets.schema.names import table_name

Kind = Literal["csv", "parquet", "duckdb", "postgres"]
Key = Literal["identity", "email"]

_POSTGRES = re.compile(r"postgres(ql)?://")
_ALLOWED = (
    "a .csv or .parquet file, a DuckDB file with a table (crm.duckdb#main.customers), or a Postgres address with one"
    " (postgresql://host/db#public.customers)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalTable:
    """A table elsewhere.

    Attributes:
        kind: What it is in.
        place: The file, or the address of the database; it may hold a password and is never shown.
        table: Schema and table in a database; empty for a file.
        column: Its column that says who somebody is.
        key: The column of users that this column is compared with.
    """

    kind: Kind
    place: str = field(repr=False)
    table: tuple[str, ...] = ()
    column: str
    key: Key

    @property
    def name(self) -> str:
        """Return the name under which it is published in the schema other.

        >>> ExternalTable(kind="csv", place="/data/CRM export.csv", column="email", key="email").name
        'crm_export'
        """
        return table_name(self.table[-1] if self.table else Path(self.place).stem) or "table"


def read_external_table(place: str | None, key: str | None) -> ExternalTable | None:
    """Return what HEAP_OTHER_TABLE and HEAP_OTHER_KEY say; None without the first.

    >>> read_external_table("crm.duckdb#main.customers", "customer_no=identity").table
    ('main', 'customers')
    """
    if place is None:
        return None
    column, _, compared = (key or "email").partition("=")
    compared = compared or column
    address, _, table = place.partition("#")
    path = "" if "://" in address else str(local_path("HEAP_OTHER_TABLE", address, allowed=_ALLOWED))
    names = tuple(table.split(".")) if table else ()
    match compared:
        case "identity" | "email" if column:
            if not table and address.endswith(".csv"):
                return ExternalTable(kind="csv", place=path, column=column, key=compared)
            if not table and address.endswith(".parquet"):
                return ExternalTable(kind="parquet", place=path, column=column, key=compared)
            if table and _POSTGRES.match(address):
                return ExternalTable(kind="postgres", place=address, table=names, column=column, key=compared)
            if table and "://" not in address:
                return ExternalTable(kind="duckdb", place=path, table=names, column=column, key=compared)
            raise SettingsError(f"HEAP_OTHER_TABLE cannot be used; it must be {_ALLOWED}.")
    raise SettingsError(
        f"HEAP_OTHER_KEY is {key}; it must be email, identity, or your column and one of them, as in"
        " customer_no=identity."
    )
