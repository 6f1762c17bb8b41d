"""What an alert says: a title, what is the matter, where to look; short enough for a chat, with no personal data.

Several changes at once become one message. Here: words. Not here: when (transitions.py), where to (delivery.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from heap_assets.alerts.transitions import Change, Level

MOST_CHANGES = 10
MOST_LETTERS = 1_800  # Slack and Teams take more, Discord 2,000
_TOLD_LETTERS = 400
_WORDS: dict[Level, str] = {"passed": "OK", "warning": "WARNING", "failed": "FAILED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to people."""

    title: str
    body: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run that failed and that Dagster will not repeat."""

    run_id: str
    job: str
    told: str


def change_message(found: Sequence[Change], address: str) -> Message:
    """Return one message on one change or many, the worst first; ``address`` is where the UI is."""
    ranks: dict[Level, int] = {"failed": 0, "warning": 1, "passed": 2}
    ordered = sorted(found, key=lambda change: (ranks[change.now.level], change.now.name))
    worst = ordered[0].now.level
    if len(ordered) == 1:
        title = f"heap_assets: {_WORDS[worst]} {ordered[0].now.name}"
    else:
        counts = [f"{sum(change.now.level == level for change in ordered)} {_WORDS[level]}" for level in ranks]
        title = f"heap_assets: {', '.join(count for count in counts if not count.startswith('0 '))}"
    lines = [_line(change, address, alone=len(ordered) == 1) for change in ordered[:MOST_CHANGES]]
    if len(ordered) > MOST_CHANGES:
        lines.append(f"and {len(ordered) - MOST_CHANGES} more: {address}/assets")
    return Message(title=title[:200], body=_bounded(lines), level=worst)


def run_message(runs: Sequence[FailedRun], address: str) -> Message:
    """Return one message on runs that failed."""
    title = f"heap_assets: run of {runs[0].job} failed" if len(runs) == 1 else f"heap_assets: {len(runs)} runs failed"
    lines = [f"{run.job}: {_short(run.told)}\n{address}/runs/{run.run_id}" for run in runs[:MOST_CHANGES]]
    if len(runs) > MOST_CHANGES:
        lines.append(f"and {len(runs) - MOST_CHANGES} more: {address}/runs")
    return Message(title=title, body=_bounded(lines), level="failed")


def trial_message(address: str) -> Message:
    """Return the message of ``heap-assets alerts test``."""
    return Message(
        title="heap_assets: a test",
        body=f"Alerts of heap_assets arrive here.\n{address}",
        level="passed",
    )


def _line(change: Change, address: str, *, alone: bool) -> str:
    thing = change.now
    what = f"{_WORDS[change.before]} -> {_WORDS[thing.level]} {thing.name}"
    told = f": {_short(thing.told)}" if thing.told and (alone or not change.is_recovery) else ""
    keys = f" Rows: {_short('; '.join(thing.keys))}" if thing.keys and not change.is_recovery else ""
    return f"{what}{told}{keys}\n{address}{thing.path}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TOLD_LETTERS else f"{text[: _TOLD_LETTERS - 1]}…"


def _bounded(lines: Sequence[str]) -> str:
    """Return as many lines as fit."""
    kept: list[str] = []
    for line in lines:
        if sum(map(len, kept)) + len(kept) + len(line) > MOST_LETTERS:
            kept.append("…")
            break
        kept.append(line)
    return "\n".join(kept)
