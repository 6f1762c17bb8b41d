"""Sync reports: which dump a report belongs to, and that one that says nothing hurts nobody.

Here: single reports. Not here: the table _sync_history (transforms/test_sync_tables.py).
"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from heap_assets.sources.heap.sync_reports import SyncReport, read_sync_report, reports_by_dump

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
WHOLE = {
    "status": "succeeded",
    "start_time": 1_717_243_200_000,
    "finish_time": "2024-06-01T12:05Z",
    "next_sync_at": None,
    "error": None,
}


def report(content: object, key: str = "sync_reports/sync_7.json", modified: datetime = NOON) -> SyncReport:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_sync_report(text, key=key, signature="s", modified=modified)


def test_a_report_is_read_with_its_times_as_they_came():
    found = report(WHOLE)
    assert (found.status, found.error, found.next_sync_at) == ("succeeded", None, None)
    assert (found.start_time, found.finish_time) == ("1717243200000", "2024-06-01T12:05Z")
    assert reports_by_dump([found], [7, 8]) == {7: found}


def test_the_field_says_the_dump_and_only_without_it_the_name_does():
    assert report({**WHOLE, "dump_id": 9}).numbers == report({**WHOLE, "dump_id": "9"}).numbers == (9,)
    assert report({**WHOLE, "dump_id": None}).numbers == (7,)
    assert report(WHOLE, "sync_reports/2024/report_12-of-7.json").numbers == (12, 7)


def test_a_report_of_no_dump_that_is_here_is_ignored():
    assert reports_by_dump([report({**WHOLE, "dump_id": 9}), report(WHOLE, "sync_reports/daily.json")], [7]) == {}


def test_of_two_reports_of_a_dump_the_one_modified_last_counts():
    old = report(WHOLE, "sync_reports/b_7.json")
    new = report(WHOLE, "sync_reports/a_7.json", NOON + timedelta(hours=1))
    assert reports_by_dump([new, old], [7]) == {7: new}


def test_an_error_that_is_no_text_is_told_as_json():
    assert report({**WHOLE, "error": {"code": 5}}).error == '{"code": 5}'


@pytest.mark.parametrize("content", [b"", b"no report", b"[]", b"7", b"[" * 100_000, b'{"status": "\\udc00"}'])
def test_what_is_no_report_belongs_to_no_dump(content):
    assert report(content).numbers == ()


def test_a_number_that_no_dump_can_have_belongs_to_none():
    assert report({**WHOLE, "dump_id": "9" * 5000}).numbers == ()
