"""In which folder of the lake a raw table lies.

Here: from a delivered name to a folder name that every file system takes. Not here: what lies in it (landed_table.py).
"""

import hashlib

from heap_assets.schema.stored_columns import escaped

_MOST_LETTERS = 200


def table_folder(name: str) -> str:
    """Return the folder of a table; file systems take 255 bytes, and an event's name can be longer."""
    folder = escaped(name)
    if folder == "_delta_log":  # Delta would take it for the log of the folder above
        return "raw/~5fdelta_log"
    if len(folder) <= _MOST_LETTERS:
        return f"raw/{folder}"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"raw/{folder[: _MOST_LETTERS - 20]}~~{digest}"
