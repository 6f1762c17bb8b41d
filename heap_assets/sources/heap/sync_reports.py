"""Sync reports: what Heap says of how a sync went.

Here: report files to SyncReport, and which one is a dump's. Not here: _sync_history (transforms/sync_tables.py).
Source: Heap's S3 integration page; the form is confirmed by no public reader, so whatever is missing stays null.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

_NUMBER = re.compile(r"[0-9]+")
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """One report; times as they came (epoch ms, or text), ``numbers`` are what may be its dump."""

    key: str
    signature: str
    modified: datetime
    numbers: tuple[int, ...]
    status: str | None = None
    start_time: str | None = None
    finish_time: str | None = None
    next_sync_at: str | None = None
    error: str | None = None


def read_sync_report(content: bytes, *, key: str, signature: str, modified: datetime) -> SyncReport:
    """Return the report; one that is not a JSON object belongs to no dump."""
    try:
        fields = json.loads(content)
        json.dumps(fields, ensure_ascii=False).encode()  # half of a surrogate pair is not text
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return SyncReport(key=key, signature=signature, modified=modified, numbers=())
    dump_id = fields.get("dump_id")
    named = str(dump_id) if dump_id is not None else PurePosixPath(key).stem
    return SyncReport(
        key=key,
        signature=signature,
        modified=modified,
        numbers=tuple(int(number) for number in _NUMBER.findall(named) if len(number) <= _MOST_DIGITS),
        **{name: _text(fields.get(name)) for name in ("status", "start_time", "finish_time", "next_sync_at", "error")},
    )


def reports_by_dump(reports: Iterable[SyncReport], dump_ids: Iterable[int]) -> dict[int, SyncReport]:
    """Return each dump's report; of several the one modified last."""
    wanted = set(dump_ids)
    ordered = sorted(reports, key=lambda report: (report.modified, report.key))
    return {number: report for report in ordered for number in report.numbers if number in wanted}


def _text(value: object) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value)
