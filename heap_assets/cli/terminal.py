"""How a sync looks on a terminal, and in a log file: bars for a person, a few lines for a file.

Here: Progress in its two forms. Not here: commands (commands.py).
"""

import io
import sys
import time
from types import TracebackType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_QUIET_S = 5.0


def shown(text: str) -> str:
    r"""Return a text as any terminal takes it: on one line, what cannot be shown written out.

    >>> shown("a\nb\x1b[2Jü")
    'a\\nb\\x1b[2Jü'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def say(text: str, *, err: bool = False) -> None:
    """Print a text, each of its lines as any terminal takes it."""
    click.echo("\n".join(shown(line) for line in text.split("\n")), err=err)


def prepare_streams() -> None:
    """Have what the encoding of a terminal or file lacks written out: a table's name never ends a sync."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Bars:
    """Bars of files and dumps with rows, rate and remaining time; leaves nothing behind but notes."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[message]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._files = self._bars.add_task("files", total=None, message="")
        self._rows, self._since = 0, time.monotonic()

    def __enter__(self) -> "Bars":
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def planned(self, *, dumps: int, files: int) -> None:
        """Set what is to come."""
        self._rows, self._since = 0, time.monotonic()
        self._bars.update(self._files, total=files, completed=0, description=f"{dumps} dumps, files")

    def files_landed(self, *, table: str, dump_id: int, files: int, rows: int, size: int) -> None:
        """Move the bar."""
        del size
        self._rows += rows
        rate = self._rows / max(time.monotonic() - self._since, 0.001)
        message = f"dump {dump_id} {shown(table)}, {self._rows:,} rows, {rate:,.0f} rows/s"
        self._bars.update(self._files, advance=files, message=message)

    def delivery_landed(self, *, table: str, dump_id: int, rows: int) -> None:
        """Show nothing: the files were shown."""

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        self._bars.console.print(shown(text), markup=False, highlight=False)


class Lines:
    """A line now and then, for a log: what is planned, where it is every few seconds, notes."""

    def __init__(self) -> None:
        self._files = self._planned = self._rows = 0
        self._since = self._told = time.monotonic()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: every line is written when it is said."""

    def planned(self, *, dumps: int, files: int) -> None:
        """Say what is to come."""
        self._planned, self._files, self._rows, self._since = files, 0, 0, time.monotonic()
        click.echo(f"{dumps} dumps to land, {files:,} files")

    def files_landed(self, *, table: str, dump_id: int, files: int, rows: int, size: int) -> None:
        """Say every few seconds how far it is."""
        del size
        self._files += files
        self._rows += rows
        now = time.monotonic()
        if now - self._told >= _QUIET_S:
            self._told = now
            seconds = max(now - self._since, 0.001)
            rate = self._rows / seconds
            remaining = seconds / self._files * (self._planned - self._files)
            click.echo(
                f"dump {dump_id} {shown(table)}: {self._files:,} of {self._planned:,} files, {self._rows:,} rows,"
                f" {rate:,.0f} rows/s, about {remaining:,.0f} s left"
            )

    def delivery_landed(self, *, table: str, dump_id: int, rows: int) -> None:
        """Say nothing: a dump of a hundred tables would be a hundred lines."""

    def note(self, text: str) -> None:
        """Say it."""
        say(text)
