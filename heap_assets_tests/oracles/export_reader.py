"""An export's folder as plain Python: manifests that count, data files, definitions, sync reports.

Here: what is on disk, nothing derived. Not here: which deliveries are current (truth.py), what values mean.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import fastavro

from heap_assets_tests.oracles.typing_rules import EPOCH

AVRO_MAGIC = b"Obj\x01"
_AVRO_TYPES = {
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "long": "BIGINT",
    "float": "DOUBLE",
    "double": "DOUBLE",
}
_PYTHON_TYPES = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}


class ExportBroken(Exception):  # noqa: N818 (a state of the export, told to tests by this name)
    """A dump that fails as a whole: a listed file is missing or broken, or the manifest is."""

    def __init__(self, dump_id: int, files: tuple[str, ...]):
        super().__init__(f"dump {dump_id}: {', '.join(files)}")
        self.dump_id = dump_id
        self.files = files

    @property
    def file(self) -> str:
        """Return one of the files that are to blame."""
        return self.files[0]


class Unreadable(Exception):  # noqa: N818 (as above)
    """One file that is missing or broken."""


@dataclass(frozen=True)
class Listed:
    """One table in one manifest."""

    name: str
    files: tuple[str, ...]
    columns: tuple[str, ...]
    incremental: bool


@dataclass(frozen=True)
class Manifest:
    """The manifest that counts for one dump; ``content`` is None if it is not a manifest."""

    dump_id: int
    path: Path
    modified: datetime
    content: dict | None

    @cached_property
    def tables(self) -> tuple[Listed, ...]:
        """Return the tables, each once."""
        found: dict[str, Listed] = {}
        for table in (self.content or {}).get("tables") or []:
            new = Listed(
                name=table["name"],
                files=tuple(path for path in table.get("files") or [] if not path.endswith("/")),
                columns=tuple(table.get("columns") or []),
                incremental=bool(table.get("incremental", True)),
            )
            old = found.get(new.name, Listed(new.name, (), (), incremental=True))
            found[new.name] = replace(
                old,
                files=old.files + new.files,
                columns=old.columns + new.columns,
                incremental=old.incremental and new.incremental,
            )
        return tuple(found.values())


@dataclass(frozen=True)
class DataFile:
    """The rows of a data file; ``types`` holds the declared types of the columns that are not null throughout."""

    columns: tuple[str, ...]
    types: Mapping[str, frozenset[str]]
    rows: tuple[dict[str, object], ...]


def modified(path: Path) -> datetime:
    """Return a file's modification time in UTC, to the microsecond."""
    return EPOCH + timedelta(microseconds=path.stat().st_mtime_ns // 1000)


def manifests(root: Path) -> list[Manifest]:
    """Return the manifest of each dump, by number: the one modified last, its time the first of equal content."""
    by_dump = defaultdict(list)
    for path in sorted((root / "manifests").glob("*.json")):
        manifest = _manifest(path)
        by_dump[manifest.dump_id].append(manifest)
    counting = []
    for _, versions in sorted(by_dump.items()):
        last = None
        for version in sorted(versions, key=lambda manifest: (manifest.modified, manifest.path.name)):
            if last is None or version.content is None or version.content != last.content:
                last = version
        counting.append(last)
    return counting


def _manifest(path: Path) -> Manifest:
    content = None
    try:
        content = json.loads(path.read_bytes())
        dump_id = int(content["dump_id"])
        manifest = Manifest(dump_id, path, modified(path), content)
        _ = manifest.tables
    except (ValueError, TypeError, KeyError, AttributeError):
        numbers = re.findall("[0-9]+", path.name)
        return Manifest(int(numbers[-1]) if numbers else 0, path, modified(path), None)
    return manifest


def path_below(root: Path, dump_id: int, key: str) -> Path:
    """Return where a file of the manifest lies below the root: from the path segment of its dump on.

    >>> path_below(Path("/data"), 12, "s3://bucket/eu/sync_12/users/a%20b.avro").as_posix()
    '/data/sync_12/users/a%20b.avro'
    """
    segments = key.removeprefix("s3://").split("/")
    start = segments.index(f"sync_{dump_id}") if f"sync_{dump_id}" in segments else 1
    return root.joinpath(*segments[start:])


def data_file(path: Path, *, may_be_json: bool) -> DataFile:
    """Read a data file whole; raise Unreadable if it is missing or broken."""
    try:
        if may_be_json and not path.read_bytes().startswith(AVRO_MAGIC):
            return _json_file(path.read_bytes())
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            fields = {field["name"]: field["type"] for field in reader.writer_schema["fields"]}
            rows = tuple({name: _plain(value, fields[name]) for name, value in row.items()} for row in reader)
    except Exception as error:
        raise Unreadable(str(error)) from error
    return DataFile(tuple(fields), _types(fields, rows), rows)


def _types(fields: dict[str, object], rows: tuple[dict[str, object], ...]) -> dict[str, frozenset[str]]:
    found = {}
    for name, avro_type in fields.items():
        values = [row[name] for row in rows if row[name] is not None]
        declared = frozenset(_duckdb_type(branch) for branch in _branches(avro_type))
        if values:
            found[name] = declared if len(declared) == 1 else frozenset(_type_of(value) for value in values)
    return found


def _branches(avro_type: object) -> list[object]:
    return [branch for branch in (avro_type if isinstance(avro_type, list) else [avro_type]) if branch != "null"]


def _duckdb_type(branch: object) -> str:
    if isinstance(branch, dict):
        if _is_timestamp(branch):
            return "TIMESTAMP"
        branch = branch["type"]
    return _AVRO_TYPES.get(branch, "VARCHAR")


def _is_timestamp(branch: object) -> bool:
    logical = branch.get("logicalType", "") if isinstance(branch, dict) else ""
    return logical.startswith(("timestamp-", "local-timestamp-"))


def _type_of(value: object) -> str:
    return "TIMESTAMP" if isinstance(value, datetime) else _PYTHON_TYPES.get(type(value), "VARCHAR")


def _plain(value: object, avro_type: object) -> object:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, int) and any(_is_timestamp(branch) for branch in _branches(avro_type)):
        return EPOCH + timedelta(microseconds=value // 1000)  # nanoseconds, which fastavro leaves alone
    return value


def _json_file(content: bytes) -> DataFile:
    text = content.decode("utf-8-sig")
    try:
        whole = json.loads(text)
        rows = whole if isinstance(whole, list) else [whole]
    except ValueError:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    columns = tuple(dict.fromkeys(name for row in rows for name in row.keys()))  # noqa: SIM118 (only objects have keys)
    rows = tuple({name: _json_plain(row.get(name)) for name in columns} for row in rows)
    types = {
        name: frozenset(_type_of(row[name]) for row in rows if row[name] is not None)
        for name in columns
        if any(row[name] is not None for row in rows)
    }
    return DataFile(columns, types, rows)


def _json_plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def definitions(root: Path, counting: list[Manifest]) -> list[object]:
    """Return the property definitions of the newest dump that has a readable file of them."""
    for manifest in reversed(counting):
        key = (manifest.content or {}).get("property_definitions")
        if not isinstance(key, str):
            continue
        try:
            found = json.loads(path_below(root, manifest.dump_id, key).read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(found, list):
            return found
    return []


def sync_reports(root: Path) -> dict[int, dict]:
    """Return the sync report of each dump number: by its field ``dump_id``, else by the numbers in its name."""
    found: dict[int, dict] = {}
    for path in sorted((root / "sync_reports").glob("*.json"), key=lambda path: (modified(path), path.name)):
        try:
            report = json.loads(path.read_bytes())
            if not isinstance(report, dict):
                continue
            numbers = [report["dump_id"]] if report.get("dump_id") is not None else re.findall("[0-9]+", path.stem)
            found.update({int(number): report for number in numbers})
        except (ValueError, TypeError):
            continue
    return found
