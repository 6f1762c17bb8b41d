"""JSON where Heap may send it instead of Avro: a list of objects, one object, or JSON lines.

Here: content to rows, each value by its own type. Not here: which files may be JSON (pipeline/landing/decoding.py).
"""

import json
from typing import Any

import polars as pl

from heap_assets.errors import UnreadableFileError
from heap_assets.schema.value_types import ValueType
from heap_assets.sources.heap.tolerant import Decoded, typed


def read_json_rows(content: bytes) -> Decoded:
    """Return the rows of a JSON list of objects, of one object, or of JSON lines.

    Raises:
        UnreadableFileError: The content is none of these.
    """
    rows = _json_rows(content)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns: dict[str, pl.Series] = {}
    sources: dict[str, dict[ValueType, str]] = {}
    for place, name in enumerate(names):
        split = [typed(row.get(name)) for row in rows]
        types = sorted({value_type for value_type, _ in split if value_type is not None}) or [ValueType.TEXT]
        sources[name] = {value_type: f"{place}.{value_type}" for value_type in types}
        for value_type, column in sources[name].items():
            values = [value if kind is value_type else None for kind, value in split]
            columns[column] = pl.Series(column, values, dtype=value_type.polars)
    return Decoded(pl.DataFrame(columns or None, height=len(rows)).lazy(), sources)


def json_row_count(content: bytes) -> int:
    """Return how many rows a JSON file has."""
    return len(_json_rows(content))


def _json_rows(content: bytes) -> list[dict[str, Any]]:
    text = content.decode("utf-8-sig", "replace")
    try:
        whole = _parsed(text)
    except (ValueError, RecursionError):
        try:
            whole = [_parsed(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError) as error:
            raise UnreadableFileError(f"is neither Avro nor JSON ({error})") from error
    rows = whole if isinstance(whole, list) else [whole]
    for place, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or "" in row:
            raise UnreadableFileError(
                f"has {json.dumps(row)[:80]} as its row {place}, which is not a JSON object of columns"
            )
    return rows


def _parsed(text: str) -> Any:
    """Return what a JSON text says; halves of surrogate pairs, which no file can hold, become question marks."""
    return json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))
