"""Where a benchmark works, and what it says meanwhile."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def workspace(keep: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield the folder of the exports and that of the runs; on one file system, so that exports can be linked.

    Both are below HEAP_BENCH_DIR, else the system's folder for temporary files, and removed afterwards; exports stay if
    they are to be kept.
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="heap-bench-", dir=keep or os.environ.get("HEAP_BENCH_DIR")) as name:
        folder = Path(name).absolute()
        (folder / "runs").mkdir()
        yield (folder / "exports" if keep is None else keep.absolute()), folder / "runs"


def say(text: str) -> None:
    """Tell on standard error what is under way, so that standard output has the figures alone."""
    click.echo(text, err=True)
