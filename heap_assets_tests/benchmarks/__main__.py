"""The benchmarks by name: ``uv run python -m heap_assets_tests.benchmarks land --help``.

Here: the list. Not here: what each measures.
"""

import click

from heap_assets_tests.benchmarks import analytics, history, land, operate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def benchmarks() -> None:
    """Measure heap_assets against its targets and against simpler ways to do the same."""


benchmarks.add_command(land.command, "land")
benchmarks.add_command(operate.command, "operate")
benchmarks.add_command(analytics.command, "analytics")
benchmarks.add_command(history.command, "history")

if __name__ == "__main__":
    benchmarks(prog_name="python -m heap_assets_tests.benchmarks")
