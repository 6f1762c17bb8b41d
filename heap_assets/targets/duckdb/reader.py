"""The published file opened for reading, whatever a client has left beside it, and what to ask it first.

Not here: building the file (file.py). What runs know of its tables they keep with the lake: nobody reads it for that.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from heap_assets.errors import PublishedFileError
from heap_assets.targets.duckdb.place import names_of
from heap_assets.targets.duckdb.swap import is_written, logs_of

_MOST_COPIED = 1 << 30


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Lend a read-only connection to the published file.

    While a client has it open for writing, or where one left its log, a copy without that is read.

    Raises:
        PublishedFileError: It is not there, or cannot be opened; says why and what to do.
    """
    if not path.exists():
        raise PublishedFileError(f"there is no published file at {path}; make it with: heap-assets sync")
    names = names_of(path)
    place = names[-1]
    with ExitStack() as until_read:
        if (logs_of(names) or is_written(place)) and place.stat().st_size <= _MOST_COPIED:
            folder = until_read.enter_context(tempfile.TemporaryDirectory(prefix="heap-assets-"))
            place = Path(shutil.copyfile(place, Path(folder) / place.name))
        with explained(path):
            connection = duckdb.connect(place, read_only=True)
        yield until_read.enter_context(connection)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what DuckDB says of a file that it cannot read into a ``PublishedFileError``."""
    try:
        yield
    except duckdb.Error as error:
        said = " ".join(str(error).split())[:300]
        raise PublishedFileError(
            f"{path} cannot be read ({said}). Close what writes into it, if anything does, and sync again."
        ) from error


def first_question(schema: str) -> str:
    """Return a query that shows what is there: events by name."""
    return f"SELECT event_table_name, count(*) FROM {schema}.all_events GROUP BY ALL"
