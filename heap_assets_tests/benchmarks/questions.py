"""Questions to the published file after a night, against plain DuckDB tables that hold the same rows.

Each question is asked in a fresh process, once to warm up and then several times; connecting is left out. Here: turns
and the table. Not here: the questions (question_tasks.py).
"""

from pathlib import Path

from heap_assets_tests.benchmarks.contestants import OURS, Contestants
from heap_assets_tests.benchmarks.figures import MIB, Figure, Spread, Target, disturbance
from heap_assets_tests.benchmarks.fresh_process import Measured, run_fresh
from heap_assets_tests.benchmarks.question_tasks import QUESTIONS

_SLOWER, _FAST_S, _TIMELINE_S = 2.0, 2.0, 1.0
_TIMELINE = "timeline of a person"
_PUBLISHED, _PLAIN = "published file", "plain tables"
_TIMES = 5
_NOTES = ("A question may take twice as long as on plain tables, or 2 s, whichever is more; a timeline 1 s.",)


def measure_questions(contestants: Contestants, *, runs: Path) -> Figure:
    """Return what each question takes on both."""
    if OURS not in contestants.nights:
        contestants.take_night(OURS)
    published, plain = contestants.database(OURS), runs / "plain.duckdb"
    copied = run_fresh("question_tasks:copy_tables", {"published": str(published), "plain": str(plain)}, workspace=runs)
    asked: dict[str, dict[str, Measured]] = {}
    for question in QUESTIONS:
        for side, database in ((_PLAIN, plain), (_PUBLISHED, published)):
            arguments = {"database": str(database), "question": question, "times": _TIMES, **copied.values}
            run = run_fresh("question_tasks:ask", arguments, workspace=runs)
            asked.setdefault(question, {})[side] = run
    plain.unlink()
    return _figure(contestants, asked)


def _figure(contestants: Contestants, asked: dict[str, dict[str, Measured]]) -> Figure:
    rows, targets, data = [], [], {}
    for question, sides in asked.items():
        values = {side: run.values for side, run in sides.items()}
        if values[_PLAIN]["content"] != values[_PUBLISHED]["content"]:
            raise RuntimeError(f"{question}: the published file and its copy in tables answer differently")
        published, plain = (Spread.of(values[side]["seconds"]) for side in (_PUBLISHED, _PLAIN))
        limit = _TIMELINE_S if question == _TIMELINE else max(_FAST_S, _SLOWER * plain.median)
        targets.append(Target(what=question, value=published.median, limit=limit, at_least=False, unit=" s"))
        rows.append(
            (
                question,
                f"{values[_PLAIN]['rows']:,}",
                published.told(".3f"),
                plain.told(".3f"),
                f"{published.median / plain.median:.1f}x",
                f"{sides[_PUBLISHED].peak_bytes / MIB:,.0f}",
            )
        )
        data[question] = {
            side: {**Spread.of(values[side]["seconds"]).as_json(), "peak_bytes": run.peak_bytes}
            for side, run in sides.items()
        }
    events = contestants.history.events + contestants.night.events
    return Figure(
        title=f"Questions to {events:,} events, seconds",
        columns=("", "rows", _PUBLISHED, _PLAIN, "published takes", "its peak MiB"),
        rows=rows,
        notes=[*_NOTES, *disturbance([run.others_cores for sides in asked.values() for run in sides.values()])],
        targets=targets,
        data={"events": events, "questions": data},
    )
