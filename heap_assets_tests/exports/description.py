"""A Heap export as frozen values: what Heap would have put into the bucket, and when.

Here: nouns only. Not here: how they become files (writer.py), in which order they arrive (delivery.py).
Times of modification are microseconds since the epoch; cells are the raw values of their Avro type.
"""

from dataclasses import dataclass

PREFIX = "s3://heap-rs3-acme"


@dataclass(frozen=True)
class Field:
    """A field of a data file.

    ``type`` is an Avro primitive, or ``timestamp-millis``, ``local-timestamp-micros`` and their kin.
    ``union`` is ``null_first``, ``null_last`` or ``bare``.
    """

    name: str
    type: str = "string"
    union: str = "null_first"


@dataclass(frozen=True)
class File:
    """A data file of one table; ``state`` is ``whole``, ``missing``, ``truncated``, ``garbage`` or ``empty``.

    ``form`` is ``avro``, ``json`` (one array) or ``jsonl`` (a line per row).
    """

    name: str
    fields: tuple[Field, ...] = ()
    rows: tuple[tuple, ...] = ()
    modified: int = 1_700_000_000_000_000
    codec: str = "null"
    form: str = "avro"
    state: str = "whole"


@dataclass(frozen=True)
class Listing:
    """One table in one manifest."""

    table: str
    files: tuple[File, ...] = ()
    columns: tuple[str, ...] = ()
    incremental: bool = True


@dataclass(frozen=True)
class Dump:
    """One version of one dump.

    ``definitions`` is the text of property_definitions.json: None if the manifest names none, "" if it is missing.
    ``manifest`` is ``whole``, ``garbage`` or ``absent``; ``attempt`` tells the manifests of two versions apart.
    ``prefix`` is what the manifest says before ``sync_<dump_id>``.
    """

    dump_id: int
    listings: tuple[Listing, ...] = ()
    modified: int = 1_700_000_000_000_000
    definitions: str | None = None
    manifest: str = "whole"
    manifest_name: str = ""
    attempt: int = 0
    prefix: str = PREFIX


@dataclass(frozen=True)
class Report:
    """A file below sync_reports/."""

    name: str
    content: str
    modified: int = 1_700_000_000_000_000


@dataclass(frozen=True)
class Export:
    """Everything that ever arrived: versions of dumps, for each dump in their order of modification, and reports.

    ``touches`` are manifests that come once more with equal content and a new time, after everything else.
    """

    dumps: tuple[Dump, ...] = ()
    reports: tuple[Report, ...] = ()
    touches: tuple[tuple[int, int], ...] = ()  # dump_id, modified
