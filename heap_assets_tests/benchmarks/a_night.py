"""A night after a long history: heap_assets against the dbt project that recomputes active users, and its growth.

Here: turns and the tables. Not here: the runs (contestants.py), what a night is (exports.py, night_shares.py).
"""

from importlib.util import find_spec as is_installed

from heap_assets_tests.benchmarks import repeated
from heap_assets_tests.benchmarks.contestants import DBT, OURS, Contestants
from heap_assets_tests.benchmarks.figures import Figure, Target, disturbance
from heap_assets_tests.benchmarks.night_shares import NightShares, night_shares

_PERCENT, _FASTER, _GROWTH = 5.0, 4.0, 1.3
_STEPS = ("land", "resolve", "analyze", "publish", "decode", "dbt run")
_NIGHT_NOTES = (
    "dbt project: decodes the night's files like Heap's SQL, then dbt run, its start and parsing included, on views of",
    "all that was ever decoded, with the users alone that have new rows or merges. Left out is on both sides the same",
    "as in the first build.",
)
_WITHOUT_DBT = ("NOT MEASURED: the dbt project; dbt is not installed (uv sync --group benchmarks).",)
_GROWTH_NOTES = (
    "Both nights bring about as many events, by as many users, of whom as many merge. The longer history has twice the",
    "users and events in as many days and dumps; how much each user has done is the same.",
)


def measure_night(contestants: Contestants, *, repeats: int) -> Figure:
    """Return a night of heap_assets beside its first build and beside dbt's night."""
    names = (OURS, DBT) if is_installed("dbt") else (OURS,)
    for _ in range(repeats):
        for name in reversed(names):
            contestants.take_night(name)
    shares = _shares(contestants)
    found = {name: contestants.rows(name) for name in names}
    contestants.remove(DBT)
    built, nights = contestants.built, contestants.nights
    first, ours = (repeated.seconds(runs[OURS]).median for runs in (built, nights))
    targets = [
        Target(what="night over first build", value=100 * ours / first, limit=_PERCENT, at_least=False, unit=" %")
    ]
    if DBT in names:
        theirs = repeated.seconds(nights[DBT]).median
        what = f"speed of a night over {DBT}"
        targets.append(Target(what=what, value=theirs / ours, limit=_FASTER, at_least=True, unit="x"))
    rows: list[tuple[str, ...]] = []
    for name in names:
        rows.append((f"{name}, first build", *repeated.cells(built[name]), ""))
        rows.append(
            (f"{name}, night", *repeated.cells(nights[name]), f"{repeated.seconds(nights[name]).median / ours:.2f}x")
        )
        steps = repeated.steps(nights[name])
        rows += [(f"  {step}", steps[step].told(".2f"), "", "", "") for step in _STEPS if step in steps]
    return Figure(
        title=f"A night after {contestants.history.events:,} events: {shares.told()}",
        columns=("", *repeated.COLUMNS, "heap_assets is"),
        rows=rows,
        notes=[*(_NIGHT_NOTES if DBT in names else _WITHOUT_DBT), *disturbance(repeated.all_others(nights))],
        targets=targets,
        data={
            "night": shares.as_json(),
            "history_events": contestants.history.events,
            "first_build": {name: repeated.as_json(built[name]) for name in names},
            "contestants": {name: {**repeated.as_json(nights[name]), "rows": found[name]} for name in names},
        },
    )


def measure_growth(half: Contestants, whole: Contestants, *, repeats: int) -> Figure:
    """Return nights of heap_assets after half of the history and after all of it; nights that were measured count."""
    for contestants in (half, whole):
        while len(contestants.nights.get(OURS, ())) < repeats:
            contestants.take_night(OURS)
    sides = {contestants.history.events: contestants for contestants in (half, whole)}
    runs = {events: contestants.nights[OURS] for events, contestants in sides.items()}
    shares = {events: _shares(contestants) for events, contestants in sides.items()}
    short, long = (repeated.seconds(runs[contestants.history.events]).median for contestants in (half, whole))
    return Figure(
        title="A night after a history twice as long",
        columns=("", *repeated.COLUMNS, *NightShares.COLUMNS),
        rows=[
            (f"after {events:,} events", *repeated.cells(measured), *shares[events].cells())
            for events, measured in runs.items()
        ],
        notes=[*_GROWTH_NOTES, *disturbance(repeated.all_others(runs))],
        targets=[
            Target(what="a night, history doubled", value=long / short, limit=_GROWTH, at_least=False, unit="x"),
        ],
        data={
            "nights": [
                {"history_events": events, **repeated.as_json(measured), "night": shares[events].as_json()}
                for events, measured in runs.items()
            ]
        },
    )


def _shares(contestants: Contestants) -> NightShares:
    return night_shares(contestants.night, contestants.database(OURS), history=contestants.history)
