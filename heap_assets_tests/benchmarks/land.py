"""``land``: how fast an export lands, how much memory that takes, and what a night costs after a long history.

Here: options, generated data. Not here: the three figures (landing_rate.py, peak_memory.py, nightly.py).
"""

from pathlib import Path

import click

from heap_assets_tests.benchmarks import options
from heap_assets_tests.benchmarks.exports import history_and_night, whole_export
from heap_assets_tests.benchmarks.landing_rate import measure_rates
from heap_assets_tests.benchmarks.nightly import SHARE, measure_nightly
from heap_assets_tests.benchmarks.peak_memory import measure_memory
from heap_assets_tests.benchmarks.workspace import say, workspace

_RATE_EVENTS, _NIGHTLY_EVENTS, _MEMORY_EVENTS = 10_000_000, 5_000_000, 10_000_000
_FIGURES = ("rates", "memory", "nightly")


@click.command()
@click.option(
    "--events", type=options.count, help="Events for rates (default 10,000,000) and nightly (default 5,000,000)."
)
@click.option(
    "--memory-events", type=options.count, default=_MEMORY_EVENTS, show_default=True, help="Events for memory."
)
@options.days
@options.repeats(3, "Runs of each; memory has one.")
@options.only(_FIGURES)
@options.cores
@options.json_file
@options.keep
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
    about = {"benchmark": "land", "repeats": repeats}
    with options.output(about, cores=cores, json_file=json_file) as show, workspace(keep) as (exports, runs):
        for name in _FIGURES if only is None else (only,):
            if name == "rates":
                say(f"making an export of {events or _RATE_EVENTS:,} events")
                export = whole_export(exports, events=events or _RATE_EVENTS, days=days)
                show(name, measure_rates(export, repeats=repeats, workspace=runs, say=say))
            elif name == "memory":
                say(f"making an export of {memory_events:,} events")
                export = whole_export(exports, events=memory_events, days=days)
                show(name, measure_memory(export, workspace=runs, say=say))
            else:
                say(f"making a history of {events or _NIGHTLY_EVENTS:,} events")
                pair = history_and_night(exports, events=events or _NIGHTLY_EVENTS, days=days, share=SHARE)
                show(name, measure_nightly(*pair, repeats=repeats, workspace=runs, say=say))
