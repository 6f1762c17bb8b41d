"""``land``: how fast an export lands, how much memory that takes, and what a night costs after a long history.

Here: options, generated data, output. Not here: the three figures (landing_rate.py, peak_memory.py, nightly.py).
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from heap_assets_tests.benchmarks.exports import history_and_night, whole_export
from heap_assets_tests.benchmarks.landing_rate import measure_rates
from heap_assets_tests.benchmarks.machine import keep_to_cores, machine, told
from heap_assets_tests.benchmarks.nightly import SHARE, measure_nightly
from heap_assets_tests.benchmarks.peak_memory import measure_memory
from heap_assets_tests.benchmarks.workspace import say, workspace

if TYPE_CHECKING:
    from heap_assets_tests.benchmarks.figures import Figure

_RATE_EVENTS, _NIGHTLY_EVENTS = 10_000_000, 5_000_000
_FIGURES = ("rates", "memory", "nightly")
_FILE_WIDTH = 120
_count = click.IntRange(min=1)


@click.command()
@click.option("--events", type=_count, help="Events for rates (default 10,000,000) and nightly (default 5,000,000).")
@click.option("--memory-events", type=_count, default=10_000_000, show_default=True, help="Events for memory.")
@click.option("--days", type=click.IntRange(min=3), default=60, show_default=True, help="Days of history.")
@click.option("--repeats", type=_count, default=3, show_default=True, help="Runs of each; memory has one.")
@click.option("--only", type=click.Choice(_FIGURES), help="Only one of the figures.")
@click.option("--cores", type=_count, default=2, show_default=True, help="Cores to run on, where there are more.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="File for the figures.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which generated exports stay and are found again.",
)
def command(
    *,
    events: int | None,
    memory_events: int,
    days: int,
    repeats: int,
    only: str | None,
    cores: int,
    json_file: Path | None,
    keep: Path | None,
) -> None:
    """Measure landing: rows a second against simpler ways, peak memory, and a night after a long history.

    Everything is generated below HEAP_BENCH_DIR, else the system's folder for temporary files, and removed afterwards.
    """
    keep_to_cores(cores)
    console = Console() if os.isatty(1) else Console(width=_FILE_WIDTH)
    where = machine()
    console.print(told(where), markup=False, highlight=False)
    figures: dict[str, Figure] = {}
    with workspace(keep) as (exports, runs):
        for name in _FIGURES if only is None else (only,):
            if name == "rates":
                say(f"making an export of {events or _RATE_EVENTS:,} events")
                export = whole_export(exports, events=events or _RATE_EVENTS, days=days)
                figures[name] = measure_rates(export, repeats=repeats, workspace=runs, say=say)
            elif name == "memory":
                say(f"making an export of {memory_events:,} events")
                export = whole_export(exports, events=memory_events, days=days)
                figures[name] = measure_memory(export, workspace=runs, say=say)
            else:
                say(f"making a history of {events or _NIGHTLY_EVENTS:,} events")
                pair = history_and_night(exports, events=events or _NIGHTLY_EVENTS, days=days, share=SHARE)
                figures[name] = measure_nightly(*pair, repeats=repeats, workspace=runs, say=say)
            figures[name].print(console)
    if json_file is not None:
        content = {"benchmark": "land", "machine": where, "repeats": repeats}
        content |= {name: figure.as_json() for name, figure in figures.items()}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
