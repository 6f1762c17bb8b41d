"""Progress on a terminal and in a file: bars with names as they are, and a line now and then.

Here: what is written. Not here: commands (cli/test_commands.py).
"""

import io
import time

import pytest
from rich.console import Console

from heap_assets.cli.terminal import Bars, Lines


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lend a clock that stands still until a test moves it."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def land(progress: Bars | Lines, *, files: int = 1, rows: int = 10, table: str = "signup") -> None:
    progress.files_landed(table=table, dump_id=7, files=files, rows=rows, size=1_000)


def test_lines_say_what_is_planned_and_every_few_seconds_where_it_is(clock, capsys):
    with Lines() as lines:
        lines.planned(dumps=2, files=1_000)
        for _ in range(4):
            clock[0] += 2
            land(lines, files=100, rows=5_000)
        lines.delivery_landed(table="signup", dump_id=7, rows=20_000)
        lines.note("a [remark]")
    assert capsys.readouterr().out.splitlines() == [
        "2 dumps to land, 1,000 files",
        "dump 7 signup: 300 of 1,000 files, 15,000 rows, 2,500 rows/s, about 14 s left",
        "a [remark]",
    ]


def test_what_was_landed_before_a_new_plan_does_not_count_for_its_rate(clock, capsys):
    with Lines() as lines:
        lines.planned(dumps=1, files=2)
        land(lines, rows=1_000_000)
        lines.planned(dumps=1, files=2)
        clock[0] += 10
        land(lines, rows=50)
    assert "1 of 2 files, 50 rows, 5 rows/s, about 10 s left" in capsys.readouterr().out


def test_lines_bear_a_clock_that_does_not_move(clock, capsys):
    with Lines() as lines:
        clock[0] += 10
        lines.planned(dumps=1, files=1)
        land(lines)
    assert "1 of 1 files" in capsys.readouterr().out


@pytest.mark.parametrize("table", ["signup", "[red]odd[/x]", "[/]"])
def test_bars_show_any_table_as_it_is_and_leave_only_notes_behind(table):
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=200, markup=False, emoji=False)
    with Bars(console) as bars:
        bars.planned(dumps=2, files=3)
        land(bars, files=3, table=table)
        bars.delivery_landed(table=table, dump_id=7, rows=10)
        bars.note("a [remark/]")
    shown = written.getvalue()
    assert f"dump 7 {table}, 10 rows" in shown
    assert "3/3" in shown
    assert "a [remark/]" in shown
