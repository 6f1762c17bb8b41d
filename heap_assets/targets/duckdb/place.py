"""Where the published file lies: links followed, places refused that DuckDB or a swap cannot serve.

Here: paths and names, looked at before anything lands. Not here: building the file (file.py), the swap (swap.py).
"""

import os
import re
from collections.abc import Collection
from pathlib import Path

from heap_assets.errors import SettingsError
from heap_assets.schema.names import folded

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")
_MOST_LINKS = 40


def names_of(path: Path) -> tuple[Path, ...]:
    """Return the path and, where it is a link, each path that leads on from there; the last one is the file's own.

    Raises:
        SettingsError: The links lead in a circle.
    """
    names = [path]
    while names[-1].is_symlink():
        if len(names) > _MOST_LINKS:
            raise SettingsError(f"HEAP_DUCKDB_PATH is {path}, whose links lead in a circle; name the file itself.")
        names.append(Path(os.path.normpath(names[-1].parent.resolve() / names[-1].readlink())))
    return tuple(names)


def refuse_place(path: Path, schemas: Collection[str]) -> None:
    """Do nothing if a file with these schemas can be published at ``path``.

    Raises:
        SettingsError: Its name is that of a schema, which DuckDB could not tell apart; or it is mounted by itself.
    """
    names = names_of(path)
    known = {folded(schema): schema for schema in schemas}
    for name in names:
        catalog = name.name.partition(".")[0]
        if folded(catalog) in known:
            raise SettingsError(
                f"HEAP_DUCKDB_PATH is {name}, but the file has a schema {known[folded(catalog)]}, and DuckDB could not"
                f" tell {catalog}.table of the file from that of the schema; give the file another name, such as"
                " heap.duckdb."
            )
    if str(names[-1].resolve()) in _mount_points():
        raise SettingsError(
            f"HEAP_DUCKDB_PATH is {path}, which is mounted by itself, so that no sync can replace it; mount the folder"
            f" that it lies in, {names[-1].parent}."
        )


def _mount_points() -> frozenset[str]:
    """Return the paths at which something is mounted; none where the system does not tell."""
    if not _MOUNTS.exists():
        return frozenset()
    lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    return frozenset(_OCTAL.sub(lambda octal: chr(int(octal[1], 8)), line.split(" ")[4]) for line in lines)
