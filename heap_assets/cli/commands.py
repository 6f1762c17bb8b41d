"""The command line: sync, status, check, report, sample, alerts.

Here: arguments, exit codes and what is printed. Exit codes: 0 done, 1 a dump or the run failed, 2 wrong usage or
settings. Not here: work (pipeline/), bars (terminal.py).
"""

import os
import shlex
import sys
import time
import webbrowser
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.box import HEAVY_HEAD
from rich.console import Console
from rich.table import Table

from heap_assets.alerts.delivery import delivered, destinations
from heap_assets.alerts.message import trial_message
from heap_assets.cli.terminal import Bars, Lines, prepare_streams, say, shown
from heap_assets.disk_errors import disk_errors_explained
from heap_assets.errors import ConfigurationError, HeapAssetsError, SettingsError, SourceError
from heap_assets.pipeline.progress import Silence
from heap_assets.pipeline.publish.published import Publication
from heap_assets.pipeline.sync import Sync
from heap_assets.sample.export import write_sample
from heap_assets.sample.size import SampleSize
from heap_assets.settings import read_settings
from heap_assets.targets.duckdb.reader import first_question, opened

_SHOWN_DUMPS = 8
_WIDTH_OF_FILES = 1_000


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def commands() -> None:
    """Heap Connect exports as resolved, queryable tables."""


@commands.command()
@click.option("--rebuild", is_flag=True, help="Compute everything again from the raw lake.")
@click.option("--reland", multiple=True, type=int, metavar="DUMP", help="Read a landed dump again; can be repeated.")
@click.option("--export-moved", is_flag=True, help="The export of this lake now lies at HEAP_EXPORT_URI.")
@click.option("--recover", is_flag=True, help="Begin a new ledger from the manifests, where it is lost or damaged.")
def sync(*, rebuild: bool, reland: tuple[int, ...], export_moved: bool, recover: bool) -> None:
    """Land every dump that has arrived, resolve it, publish the DuckDB file."""
    from heap_assets.defs.runs import run_sync_job  # noqa: PLC0415  importing Dagster takes a second and a half

    started = time.monotonic()
    console = _console()
    with Bars(console) if console.is_terminal else Lines() as progress:
        work = Sync(read_settings(os.environ), progress)
        work.configuration  # noqa: B018  a wrong configuration is told before anything is landed
        without_manifest = work.recover_ledger() if recover else ()
        if export_moved:
            work.accept_moved_export()
        with suppress(SourceError):  # the run says so too, and is recorded
            work.discover()
        outcome = run_sync_job(progress, rebuild=rebuild, reland=reland)
    for reason in (*outcome.errors, *(failure.reason for failure in work.last_landing().failures)):
        say(f"error: {reason}", err=True)
    if without_manifest:
        message = f"the lake has rows of {_told_dumps(without_manifest)}, whose manifests the export no longer has"
        say(f"warning: {message}: they do not count.", err=True)
    _print_published(console, work, time.monotonic() - started)
    if not outcome.succeeded:
        sys.exit(1)


@commands.command()
def status() -> None:
    """Show what is landed, pending and published, table by table."""
    console = _console()
    work = Sync(read_settings(os.environ), Silence())
    ledger = work.ledger()
    say(f"export     {work.settings.source_uri}")
    say(f"lake       {work.settings.lake_uri}")
    say(f"published  {work.settings.duckdb_path}")
    say(f"landed     {_told_dumps(tuple(ledger.dumps))}")
    pending, broken = work.pending()
    say(f"pending    {_told_dumps(pending)}")
    for reason in broken.values():
        say(f"broken     {reason}")
    for failure in work.last_landing().failures:
        say(f"failed     {failure.reason}")
    if (publication := work.last_publication()) is not None:
        with opened(work.settings.duckdb_path):  # a file that nobody can open is said here
            console.print(_sync_info(publication))


@commands.command()
def check() -> None:
    """Check configuration and export without running anything; ends with 1 if a manifest cannot be read."""
    work = Sync(read_settings(os.environ), Silence())
    configuration = work.configuration
    say(f"configuration  {work.settings.config_path or 'packaged heap.yaml'}")
    say(
        f"               {len(configuration.funnels)} funnels, {len(configuration.segments)} segments,"
        f" {len(configuration.channel_rules)} channel rules"
    )
    say(f"export         {work.settings.source_uri}")
    if work.settings.export_uri is None and not work.settings.sample_path.exists():
        say("               the sample export, which the first sync makes")
        return
    outcome = work.check()
    say(f"               {outcome.dumps} dumps, {outcome.new} of them not landed yet")
    for warning in outcome.warnings:
        say(f"warning: {warning}")
    for reason in outcome.broken:
        say(f"error: {reason}", err=True)
    if outcome.broken:
        sys.exit(1)


@commands.command()
@click.option("--print", "only_print", is_flag=True, help="Only say where the page is.")
def report(*, only_print: bool) -> None:
    """Open the report in a browser; every sync makes it again."""
    path = read_settings(os.environ).report_path
    if not path.exists():
        raise HeapAssetsError(f"there is no report at {path}; make it with: heap-assets sync")
    say(str(path))
    if not only_print and not webbrowser.open(path.as_uri()):
        say("no browser was found; open the file above with one.", err=True)


@commands.command()
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to write into.")
@click.option("--users", default=2_000, show_default=True, type=click.IntRange(min=1), help="People.")
@click.option("--days", default=60, show_default=True, type=click.IntRange(min=1), help="Days of history.")
@click.option("--seed", default=7, show_default=True, type=int, help="Another seed, another shop.")
@click.option("--end", default="2026-06-30", show_default=True, help="Last day, as YYYY-MM-DD.")
def sample(*, out: Path, users: int, days: int, seed: int, end: str) -> None:
    """Write a sample export, as Heap would deliver it; the same arguments write the same bytes."""
    try:
        last = date.fromisoformat(end)
    except ValueError as error:
        raise click.BadParameter(f"{end} is not a day; write YYYY-MM-DD.", param_hint="--end") from error
    started = time.monotonic()
    written = write_sample(out, SampleSize(users=users, days=days, seed=seed, end=last))
    seconds = time.monotonic() - started
    say(f"{out}: {len(written.dump_ids)} dumps, {written.events:,} events of {written.users:,} people, {seconds:.1f} s")
    home = out.with_name(f".heap-{out.name}")
    say(f"next: HEAP_EXPORT_URI={shlex.quote(str(out))} HEAP_HOME={shlex.quote(str(home))} uv run heap-assets sync")


@commands.group()
def alerts() -> None:
    """Messages to people when something fails."""


@alerts.command("test")
def alerts_test() -> None:
    """Send a message to every destination of HEAP_ALERT_URLS."""
    settings = read_settings(os.environ)
    if not settings.alert_urls:
        raise SettingsError("HEAP_ALERT_URLS is not set; it names where alerts go, such as slack://... or json://...")
    refused = 0
    for destination in destinations(settings.alert_urls):
        taken = delivered(trial_message(settings.ui_url), destination)
        say(f"{destination.name}  {'sent' if taken else 'not taken'}")
        refused += not taken
    if refused:
        sys.exit(1)


def main() -> None:
    """Run the command line; what a user can act on is one line, not a traceback."""
    prepare_streams()
    try:
        with disk_errors_explained(str(Path.cwd())):
            commands.main(standalone_mode=False)
    except (SettingsError, ConfigurationError) as error:
        say(f"error: {shown(str(error))}", err=True)
        sys.exit(2)
    except HeapAssetsError as error:
        say(f"error: {shown(str(error))}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        say("stopped; what was landed stays, the next sync goes on from there.", err=True)
        sys.exit(130)


def _console() -> Console:
    """Return a console that shows names as they are, and cuts nothing off where no terminal sets a width."""
    width = None if sys.stdout.isatty() else _WIDTH_OF_FILES
    return Console(markup=False, emoji=False, highlight=False, width=width)


def _told_dumps(dump_ids: tuple[int, ...]) -> str:
    if not dump_ids:
        return "no dumps"
    ordered = sorted(dump_ids)
    shown = ", ".join(map(str, ordered[-_SHOWN_DUMPS:]))
    more = len(ordered) - _SHOWN_DUMPS
    return f"{len(ordered)} dumps: {f'{more} and ' if more > 0 else ''}{shown}"


def _print_published(console: Console, work: Sync, seconds: float) -> None:
    publication = work.last_publication()
    if publication is None or not publication.path.exists():
        return
    heading = f"{publication.path}, after {seconds:.1f} s"
    table = Table(title=heading, title_justify="left", box=HEAVY_HEAD if console.is_terminal else None)
    table.add_column("table")
    table.add_column("rows", justify="right")
    for published in publication.tables:
        table.add_row(shown(f"{published.schema}.{published.name}"), f"{published.rows:,}")
    console.print(table)
    schema = work.configuration.migrated_schema_name
    say(f'next: duckdb -readonly {shlex.quote(str(publication.path))} "{first_question(schema)}"')
    say("      uv run heap-assets report")
    say("      uv run dagster dev")


def _sync_info(publication: Publication) -> Table:
    table = Table(box=None)
    for column in ("table", "synced to (UTC)", "behind", "last sync (UTC)", "rows delivered"):
        table.add_column(column, justify="right" if column in {"behind", "rows delivered"} else "left", no_wrap=True)
    now = datetime.now(UTC).replace(tzinfo=None)
    for row in publication.synced:
        behind = "" if row.synced_to_time is None else f"{(now - row.synced_to_time).total_seconds() / 3600:,.1f} h"
        table.add_row(
            shown(row.name), _minute(row.synced_to_time), behind, _minute(row.sync_ended), f"{row.inserted_row_count:,}"
        )
    return table


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
