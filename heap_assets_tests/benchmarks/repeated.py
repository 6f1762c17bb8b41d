"""Several runs of one thing as one row of a figure and as JSON. Not here: what they mean."""

from collections.abc import Mapping, Sequence
from typing import Any

from heap_assets_tests.benchmarks.figures import MIB, Spread
from heap_assets_tests.benchmarks.fresh_process import Measured

COLUMNS = ("seconds", "CPU seconds", "peak MiB")


def seconds(runs: Sequence[Measured]) -> Spread:
    """Return how long the runs took."""
    return Spread.of([run.seconds for run in runs])


def cells(runs: Sequence[Measured]) -> tuple[str, str, str]:
    """Return what stands in COLUMNS."""
    cpu = Spread.of([run.cpu_seconds for run in runs]).median
    return seconds(runs).told(".2f"), f"{cpu:.2f}", f"{peak_bytes(runs) / MIB:,.0f}"


def peak_bytes(runs: Sequence[Measured]) -> float:
    """Return the median of the most memory."""
    return Spread.of([run.peak_bytes for run in runs]).median


def steps(runs: Sequence[Measured]) -> dict[str, Spread]:
    """Return what each step took; nothing where the runs do not say it."""
    told = [run.values.get("steps", {}) for run in runs]
    return {name: Spread.of([step[name]["seconds"] for step in told]) for name in told[0]}


def as_json(runs: Sequence[Measured]) -> dict[str, Any]:
    """Return everything that was measured of the runs."""
    return {
        "seconds": seconds(runs).as_json(),
        "cpu_seconds": Spread.of([run.cpu_seconds for run in runs]).as_json(),
        "peak_bytes": Spread.of([run.peak_bytes for run in runs]).as_json(),
        "others_cores": others_cores(runs).as_json(),
        "steps": {name: spread.as_json() for name, spread in steps(runs).items()},
    }


def others_cores(runs: Sequence[Measured]) -> Spread:
    """Return how busy other programs were."""
    return Spread.of([run.others_cores for run in runs])


def all_others(runs: Mapping[Any, Sequence[Measured]]) -> list[float]:
    """Return the same of every run of several contestants."""
    return [run.others_cores for measured in runs.values() for run in measured]
