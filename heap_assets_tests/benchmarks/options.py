"""The options that several benchmarks have, and what all of them do with their figures.

Here: options by name, printing, writing. Not here: options of one benchmark alone (land.py, operate.py and so on).
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from heap_assets_tests.benchmarks.figures import Figure
from heap_assets_tests.benchmarks.machine import keep_to_cores, machine, told

_FILE_WIDTH = 120
count = click.IntRange(min=1)
days = click.option("--days", type=click.IntRange(min=3), default=60, show_default=True, help="Days of history.")
cores = click.option("--cores", type=count, default=2, show_default=True, help="Cores to run on, where there are more.")
json_file = click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="File for the figures."
)
keep = click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which generated exports stay and are found again.",
)


def repeats(default: int, told: str) -> Callable[[Any], Any]:
    """Return the option that says how often each is run."""
    return click.option("--repeats", type=count, default=default, show_default=True, help=told)


def only(figures: Sequence[str]) -> Callable[[Any], Any]:
    """Return the option that chooses one of the figures."""
    return click.option("--only", type=click.Choice(figures), help="Only one of the figures.")


@contextmanager
def output(about: Mapping[str, Any], *, cores: int, json_file: Path | None) -> Iterator[Callable[[str, Figure], None]]:
    """Keep to the cores and tell on what machine; yield what prints a figure, and write all of them in the end.

    ``about`` says in the file what was measured; it may be added to meanwhile.
    """
    keep_to_cores(cores)
    console = Console() if os.isatty(1) else Console(width=_FILE_WIDTH)
    where = machine()
    console.print(told(where), markup=False, highlight=False)
    figures: dict[str, Any] = {}

    def show(name: str, figure: Figure) -> None:
        figures[name] = figure.as_json()
        figure.print(console)

    yield show
    if json_file is not None:
        content = {**about, "machine": where, **figures}
        json_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
