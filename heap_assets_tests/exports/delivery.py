"""The steps in which an export arrives in a folder, and the orders and cuts that a test may deliver it in.

Here: what may come before what. Not here: what a step writes (writer.py).
A redelivered manifest with equal content comes after everything else, so that each split ends in one state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from heap_assets_tests.exports import writer
from heap_assets_tests.exports.description import Dump, Export, Report
from heap_assets_tests.oracles.typing_rules import EPOCH


@dataclass(frozen=True)
class Step:
    """One change of the folder: ``files`` or ``manifest`` of a dump, ``touch`` of its manifest, or ``report``."""

    kind: str
    what: Dump | Report
    modified: int | None = None

    @property
    def dump_id(self) -> int | None:
        """Return the dump that the step belongs to; a report belongs to none."""
        return self.what.dump_id if isinstance(self.what, Dump) else None

    def apply(self, root: Path) -> None:
        """Make the change."""
        if isinstance(self.what, Report):
            writer.write_report(root, self.what)
        elif self.kind == "files":
            writer.write_dump_files(root, self.what)
        else:
            writer.write_manifest(root, self.what, self.modified)


def deliveries(export: Export) -> list[Step]:
    """Return the steps in the order of the description, touches last."""
    steps = [Step(kind, dump) for dump in export.dumps for kind in ("files", "manifest")]
    steps += [Step("report", report) for report in export.reports]
    last = {dump.dump_id: dump for dump in export.dumps}
    return steps + [Step("touch", last[dump_id], modified) for dump_id, modified in export.touches]


@st.composite
def delivery_runs(draw: st.DrawFn, export: Export) -> list[list[Step]]:
    """Draw an order of the steps that keeps each dump's own order, cut into runs; touches are runs of their own."""
    steps = deliveries(export)
    touches = [step for step in steps if step.kind == "touch"]
    ordered = _shuffled(draw, [step for step in steps if step.kind != "touch"])
    cuts = draw(st.integers(0, 2 ** len(ordered) - 1))
    runs: list[list[Step]] = [[]]
    for place, step in enumerate(ordered):
        runs[-1].append(step)
        if cuts >> place & 1:
            runs.append([])
    return [run for run in [*runs, touches] if run]


def _shuffled(draw: st.DrawFn, steps: Sequence[Step]) -> list[Step]:
    owners = [step.dump_id for step in steps]
    waiting = {owner: [step for step in steps if step.dump_id == owner] for owner in owners}
    return [waiting[owner].pop(0) for owner in draw(st.permutations(owners))]


def first_manifest_times(export: Export) -> dict[int, datetime]:
    """Return when each touched manifest came first, as the oracle's ``manifest_times`` wants it."""
    touched = {dump_id for dump_id, _ in export.touches}
    first: dict[int, Dump] = {}
    for dump in export.dumps:
        before = first.get(dump.dump_id)
        if before is None or _content(before) != _content(dump):
            first[dump.dump_id] = dump
    return {dump_id: EPOCH + timedelta(microseconds=first[dump_id].modified) for dump_id in touched}


def _content(dump: Dump) -> object:
    return writer.manifest(dump) if dump.manifest == "whole" else None
