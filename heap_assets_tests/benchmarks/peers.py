"""What one would write without heap_assets: Avro files into Parquet files, one after the other.

Left out of both: surveying files, telling times and ids apart from text, row and dump ids, commits, keeping deliveries
apart. Each gets the list of the files that landing needs, as paths.
"""

import time
from pathlib import Path
from typing import Any

import fastavro
import polars as pl

_TYPES: dict[str, Any] = {
    "boolean": pl.Boolean,
    "int": pl.Int64,
    "long": pl.Int64,
    "float": pl.Float64,
    "double": pl.Float64,
    "string": pl.String,
    "null": pl.Null,
}


def polars_loop(files: list[str], out: str) -> dict[str, Any]:
    """Read each file with Polars' own Avro reader and write it with the default codec."""
    rows = 0
    for number, file in enumerate(files):
        frame = pl.read_avro(file)
        frame.write_parquet(Path(out) / f"{number}.parquet", compression="zstd")
        rows += frame.height
    return {"rows": rows, "files": len(files)}


def fastavro_loop(files: list[str], out: str, limit_s: float) -> dict[str, Any]:
    """Read each file record by record, make a frame of the records and write it; stop after a file beyond the limit."""
    rows = done = 0
    started = time.perf_counter()
    for number, file in enumerate(files):
        with Path(file).open("rb") as content:
            reader = fastavro.reader(content)
            declared: Any = reader.writer_schema
            schema = {field["name"]: _type(field["type"]) for field in declared["fields"]}
            records = list(reader)
        frame = pl.DataFrame(records, schema=schema, orient="row")
        frame.write_parquet(Path(out) / f"{number}.parquet", compression="zstd")
        rows, done = rows + frame.height, done + 1
        if time.perf_counter() - started > limit_s:
            break
    return {"rows": rows, "files": done}


def _type(declared: Any) -> Any:
    """Return the type of a primitive or of a union of null and one; anything else is left to Polars."""
    if isinstance(declared, list):
        branches = [branch for branch in declared if branch != "null"]
        return _type(branches[0]) if len(branches) == 1 else None
    return _TYPES.get(declared) if isinstance(declared, str) else None
