"""``history``: a first build of a long history, a night after it, its growth, and questions to the published file.

Against Heap's documented SQL and the models of Heap's dbt project, in DuckDB and by dbt, on the same exports in the
same run. Reading record by record is measured by ``land``, funnels and sessions by chDB and SQL by ``analytics``. Here:
options, exports, output. Not here: the figures (first_build.py, a_night.py, questions.py).
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from heap_assets_tests.benchmarks.a_night import measure_growth, measure_night
from heap_assets_tests.benchmarks.contestants import Contestants
from heap_assets_tests.benchmarks.exports import history_and_night
from heap_assets_tests.benchmarks.first_build import measure_first_build
from heap_assets_tests.benchmarks.machine import keep_to_cores, machine, told
from heap_assets_tests.benchmarks.questions import measure_questions
from heap_assets_tests.benchmarks.workspace import say, workspace

if TYPE_CHECKING:
    from heap_assets_tests.benchmarks.figures import Figure

_SHARE = 0.01
_FIGURES = ("build", "night", "growth", "queries")
_FILE_WIDTH = 120
_count = click.IntRange(min=1)


@click.command()
@click.option("--events", type=_count, default=20_000_000, show_default=True, help="Events of the history.")
@click.option("--days", type=click.IntRange(min=3), default=60, show_default=True, help="Days of history.")
@click.option("--repeats", type=_count, default=3, show_default=True, help="Runs of each; dbt's first build has one.")
@click.option("--only", type=click.Choice(_FIGURES), help="Only one of the figures.")
@click.option("--cores", type=_count, default=2, show_default=True, help="Cores to run on, where there are more.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="File for the figures.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which generated exports stay and are found again.",
)
def command(
    *, events: int, days: int, repeats: int, only: str | None, cores: int, json_file: Path | None, keep: Path | None
) -> None:
    """Measure a first build, a night, its growth, and questions, against SQL and dbt on the same export.

    Everything is generated below HEAP_BENCH_DIR, else the system's folder for temporary files, and removed afterwards;
    of 20 million events that is about 40 GB.
    """
    keep_to_cores(cores)
    console = Console() if os.isatty(1) else Console(width=_FILE_WIDTH)
    where = machine()
    console.print(told(where), markup=False, highlight=False)
    figures: dict[str, Figure] = {}
    with workspace(keep) as (exports, runs):

        def contestants(count: int, share: float) -> Contestants:
            say(f"making a history of {count:,} events")
            pair = history_and_night(exports, events=count, days=days, share=share)
            return Contestants(*pair, workspace=runs, say=say)

        whole = contestants(events, _SHARE)
        for name in _FIGURES if only is None else (only,):
            if name == "build":
                figures[name] = measure_first_build(whole, repeats=repeats)
            elif name == "night":
                figures[name] = measure_night(whole, repeats=repeats)
            elif name == "growth":
                half = contestants(events // 2, 2 * _SHARE)  # as many events and users at night
                figures[name] = measure_growth(half, whole, repeats=repeats)
            else:
                figures[name] = measure_questions(whole, runs=runs)
            figures[name].print(console)
    if json_file is not None:
        content = {"benchmark": "history", "machine": where, "repeats": repeats}
        content |= {name: figure.as_json() for name, figure in figures.items()}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
