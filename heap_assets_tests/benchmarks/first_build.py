"""The first build of a history from Avro: heap_assets against Heap's documented SQL and models, in turns.

Here: turns and the table. Not here: the runs (contestants.py).
"""

from heap_assets_tests.benchmarks import repeated
from heap_assets_tests.benchmarks.contestants import OURS, SQL, SQL_VIEWS, Contestants
from heap_assets_tests.benchmarks.figures import MIB, Figure, Target, disturbance

_FASTER, _PEAK_GIB = 3.0, 6.0
_GIB = 2**30
_STEPS = ("land", "resolve", "analyze", "publish", "decode", "SQL")
_NOTES = (
    "Heap's SQL: pl.read_avro and write_parquet file by file, then Heap's documented SQL and the models of Heap's dbt",
    "project in DuckDB; with views the migrated tables are made whenever they are read, as ours are. It follows merges",
    "one hop, so rows differ by chains; labeled properties, sync state, quarantine, comments and the check of keys are",
    "left out. heap_assets leaves out what its Dagster job does besides: the other checks, the report.",
)


def measure_first_build(contestants: Contestants, *, repeats: int) -> Figure:
    """Return the times of all contestants; what heap_assets has built stays for a night."""
    found: dict[str, dict[str, int]] = {}
    for _ in range(repeats):
        for name in (SQL, SQL_VIEWS, OURS):
            contestants.build(name)
            found[name] = contestants.rows(name)
            if name != OURS:
                contestants.remove(name)
    return _figure(contestants, found)


def _figure(contestants: Contestants, found: dict[str, dict[str, int]]) -> Figure:
    history, built = contestants.history, contestants.built
    ours = repeated.seconds(built[OURS]).median
    best = min((SQL, SQL_VIEWS), key=lambda name: repeated.seconds(built[name]).median)
    rows: list[tuple[str, ...]] = []
    for name in (OURS, SQL, SQL_VIEWS):
        rows.append((name, *repeated.cells(built[name]), f"{repeated.seconds(built[name]).median / ours:.2f}x"))
        steps = repeated.steps(built[name])
        rows += [(f"  {step}", steps[step].told(".2f"), "", "", "") for step in _STEPS if step in steps]
    size = f"{history.events:,} events, {history.dumps} dumps, {history.size_bytes / MIB:,.0f} MiB Avro"
    return Figure(
        title=f"First build from {size}",
        columns=("", *repeated.COLUMNS, "heap_assets is"),
        rows=rows,
        notes=[*_NOTES, *disturbance(repeated.all_others(built))],
        targets=[
            Target(
                what=f"speed of the first build over {best}",
                value=repeated.seconds(built[best]).median / ours,
                limit=_FASTER,
                at_least=True,
                unit="x",
            ),
            Target(
                what="peak memory of the first build",
                value=max(run.peak_bytes for run in built[OURS]) / _GIB,
                limit=_PEAK_GIB,
                at_least=False,
                unit=" GiB",
            ),
        ],
        data={
            "events": history.events,
            "dumps": history.dumps,
            "avro_bytes": history.size_bytes,
            "contestants": {
                name: {**repeated.as_json(runs), "rows": found[name]} for name, runs in built.items() if name in found
            },
        },
    )
