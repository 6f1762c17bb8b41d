"""The most memory that landing, resolving and publishing one large export takes in one process, measured once."""

import shutil
from collections.abc import Callable
from pathlib import Path

from heap_assets_tests.benchmarks.exports import Export
from heap_assets_tests.benchmarks.figures import MIB, Figure, Target, disturbance
from heap_assets_tests.benchmarks.fresh_process import run_fresh

_TARGET_GIB = 3.0
_GIB = 2**30


def measure_memory(export: Export, *, workspace: Path, say: Callable[[str], None]) -> Figure:
    """Return the peak after each step."""
    say("peak memory")
    home = workspace / "home"
    arguments = {"export": str(export.root), "home": str(home)}
    run = run_fresh("heap_runs:land_resolve_publish", arguments, workspace=workspace)
    shutil.rmtree(home)
    steps = run.values["steps"]
    rows = [
        (f"after {name}", f"{step['seconds']:.2f}", f"{step['peak_bytes'] / MIB:,.0f}") for name, step in steps.items()
    ]
    return Figure(
        title=f"Peak memory, {export.events:,} events, {export.size_bytes / MIB:,.0f} MiB Avro",
        columns=("", "seconds", "peak MiB so far"),
        rows=[*rows, ("all", f"{run.seconds:.2f}", f"{run.peak_bytes / MIB:,.0f}")],
        notes=[
            "Resident memory of the process, mapped Parquet files and libraries included.",
            *disturbance([run.others_cores]),
        ],
        targets=[
            Target(what="peak memory", value=run.peak_bytes / _GIB, limit=_TARGET_GIB, at_least=False, unit=" GiB")
        ],
        data={
            "events": export.events,
            "rows": run.values["rows"],
            "seconds": run.seconds,
            "cpu_seconds": run.cpu_seconds,
            "others_cores": run.others_cores,
            "peak_bytes": run.peak_bytes,
            "steps": steps,
        },
    )
