"""``history``: a first build of a long history, a night after it, its growth, and questions to the published file.

Against Heap's documented SQL and the models of Heap's dbt project, in DuckDB and by dbt, on the same exports in the
same run. Reading record by record is measured by ``land``, funnels and sessions by chDB and SQL by ``analytics``. Here:
options, exports. Not here: the figures (first_build.py, a_night.py, questions.py).
"""

from pathlib import Path

import click

from heap_assets_tests.benchmarks import options
from heap_assets_tests.benchmarks.a_night import measure_growth, measure_night
from heap_assets_tests.benchmarks.contestants import Contestants
from heap_assets_tests.benchmarks.exports import history_and_night
from heap_assets_tests.benchmarks.first_build import measure_first_build
from heap_assets_tests.benchmarks.questions import measure_questions
from heap_assets_tests.benchmarks.workspace import say, workspace

_SHARE = 0.01
_FIGURES = ("build", "night", "growth", "queries")


@click.command()
@click.option("--events", type=options.count, default=20_000_000, show_default=True, help="Events of the history.")
@options.days
@options.repeats(3, "Runs of each; dbt's first build has one.")
@options.only(_FIGURES)
@options.cores
@options.json_file
@options.keep
def command(
    *, events: int, days: int, repeats: int, only: str | None, cores: int, json_file: Path | None, keep: Path | None
) -> None:
    """Measure a first build, a night, its growth, and questions, against SQL and dbt on the same export.

    Everything is generated below HEAP_BENCH_DIR, else the system's folder for temporary files, and removed afterwards;
    of 20 million events that is about 40 GB.
    """
    about = {"benchmark": "history", "repeats": repeats}
    with options.output(about, cores=cores, json_file=json_file) as show, workspace(keep) as (exports, runs):

        def contestants(count: int, share: float) -> Contestants:
            say(f"making a history of {count:,} events")
            pair = history_and_night(exports, events=count, days=days, share=share)
            return Contestants(*pair, workspace=runs, say=say)

        whole = contestants(events, _SHARE)
        for name in _FIGURES if only is None else (only,):
            if name == "build":
                show(name, measure_first_build(whole, repeats=repeats))
            elif name == "night":
                show(name, measure_night(whole, repeats=repeats))
            elif name == "growth":
                half = contestants(events // 2, 2 * _SHARE)  # as many events and users at night
                show(name, measure_growth(half, whole, repeats=repeats))
            else:
                show(name, measure_questions(whole, runs=runs))
