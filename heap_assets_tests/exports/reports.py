"""Drawn sync reports: found by their name or by their field, in time or in epoch milliseconds, or no JSON at all."""

import json

from heap_assets_tests.exports import pools
from heap_assets_tests.exports.description import Report
from heap_assets_tests.exports.dice import Dice

_CONTENTS = (
    {"status": "succeeded", "start_time": 1_710_063_000_123, "finish_time": 1_710_063_060_000, "error": None},
    {"status": "failed", "start_time": "2024-03-10T09:30:00Z", "error": "no access", "next_sync_at": 1_710_149_400_000},
    {"status": "running", "start_time": 1_710_063_000, "finish_time": 0},
)


def drawn_report(throw: Dice, dump_id: int) -> Report:
    """Return a report of a dump."""
    content = dict(throw.pick(_CONTENTS))
    name = throw.pick((f"sync_{dump_id}.json", f"{dump_id}.json", "report.json"))
    if name == "report.json":
        name = f"report_{'abcdefghij'[dump_id % 10]}.json"
        content["dump_id"] = throw.pick((dump_id, str(dump_id)))
    text = "no report" if throw.once_in(8) else json.dumps(content)
    return Report(name, text, pools.FIRST + throw.pick((0, 1)) * pools.DAY)
