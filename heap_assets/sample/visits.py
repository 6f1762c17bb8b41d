"""Single visits: what a dump says of whom, on which device, from where, and which story is told.

Here: one row per delivered visit. Not here: its pages and events (events.py), the people (people.py).
"""

import polars as pl

from heap_assets.sample.calendar import DAY, HOUR, Calendar, Dump
from heap_assets.sample.catalogue import POPULAR_PRODUCTS, PRODUCTS
from heap_assets.sample.draws import Draws, Kind, at, bits, picked
from heap_assets.sample.identities import DEVICES
from heap_assets.sample.origins import APP_SOURCE, DEVICES_BY_SLOT, FIRST_SOURCES, IS_APP, LATER_SOURCES, PLACES
from heap_assets.sample.people import device_user, identity_user, visit_key, visit_numbers, visit_start
from heap_assets.sample.stories import LANDING_PAGES, LANDING_PRODUCTS, STORIES_BY_AUDIENCE, TELLS_OF, Audience

_PER_MILLE = 1000
_LATE, _AGAIN, _TWICE, _AHEAD = 9, 20, 3, 2  # of a thousand visits
_AGAIN_WITHIN = 3  # dumps
_LATEST = 7 * DAY
_OF_PERSON = [
    "devices", "renamed", "renamed_at", "place", "address",
    *(f"known_{device}" for device in range(DEVICES)),
    *(f"known_{device}_at" for device in range(DEVICES)),
]  # fmt: skip


def delivered_visits(calendar: Calendar, draws: Draws, people: pl.DataFrame, dump: Dump) -> pl.DataFrame:
    """Return the visits that a dump delivers: new ones, some of older dumps again, a few twice."""
    since = calendar.dumps[max(0, dump.index - _AGAIN_WITHIN)].after - _LATEST
    visits = _visits(calendar, draws, people, since, dump.until)
    again = (bits(pl.col("chance"), 20, _PER_MILLE) < _AGAIN) & (
        pl.col("dump") + 1 + bits(pl.col("chance"), 30, _AGAIN_WITHIN) == dump.index
    )
    visits = visits.filter((pl.col("dump") == dump.index) | again)
    visits = _detailed(draws, people, visits, dump, as_of_dump=pl.col("dump") != dump.index)
    twice = (bits(pl.col("chance"), 50, _PER_MILLE) < _TWICE) & ~pl.col("as_of_dump")
    delivered = visits.collect()
    return pl.concat([delivered, delivered.filter(twice)])


def visits_with_history(calendar: Calendar, draws: Draws, people: pl.DataFrame, dump: Dump, table: str) -> pl.DataFrame:
    """Return all visits up to a dump that have rows in one table, with the users as Heap knows them by then."""
    visits = _visits(calendar, draws, people, 0, dump.until).filter(pl.col("dump") <= dump.index)
    visits = _detailed(draws, people, visits, dump, as_of_dump=pl.lit(value=True))
    return visits.filter(at(TELLS_OF[table], pl.col("story"))).collect()


def _visits(calendar: Calendar, draws: Draws, people: pl.DataFrame, since: int, until: int) -> pl.LazyFrame:
    """Return all visits between two times, and a few more, with their beginnings and the first dumps that have them."""
    first, stop = visit_numbers(calendar, since, until)
    names = ["person", "arrival", "lifetime", "usual_visits", "visits"]
    visits = (
        people.lazy()
        .with_row_index("row")
        .with_columns(first=first, stop=stop)
        .filter(pl.col("first") < pl.col("stop"))
        .select("row", *names, number=pl.int_ranges("first", "stop").cast(pl.List(pl.UInt64)))
        .explode("number")
        .with_columns(key=visit_key(pl.col("number")))
    )
    visits = visits.select(
        "row",
        "person",
        "number",
        "key",
        start=visit_start(calendar, draws, pl.col("number")),
        chance=draws.number(pl.col("key"), "chance"),
    )
    lag = pl.when(pl.col("chance") % _PER_MILLE < _LATE).then(20 * HOUR + bits(pl.col("chance"), 10, 144) * HOUR)
    return visits.with_columns(dump=calendar.dump_index(pl.col("start") + lag.otherwise(0).cast(pl.Int64)))


def _detailed(
    draws: Draws, people: pl.DataFrame, visits: pl.LazyFrame, dump: Dump, *, as_of_dump: pl.Expr
) -> pl.LazyFrame:
    chance, number = pl.col("chance"), pl.col("number")
    of_person = [at(people[name], pl.col("row")).alias(name) for name in _OF_PERSON]
    visits = visits.with_columns(*of_person, as_of_dump=as_of_dump)
    other = pl.when(bits(chance, 41, 2) == 0).then(0).otherwise(bits(chance, 42, 6) % pl.col("devices"))
    device = pl.when(number < pl.col("devices")).then(number).otherwise(other)
    for slot in range(DEVICES):
        device = pl.when(number == pl.col(f"known_{slot}")).then(slot).otherwise(device)
    visits = visits.with_columns(device=device.cast(pl.UInt64)).with_columns(
        chosen=draws.number(pl.col("person") * (DEVICES + 1) + pl.col("device"), "device"),
        detail=draws.number(pl.col("key"), "detail"),
    )
    profile = picked(DEVICES_BY_SLOT[0], pl.col("chosen"))
    for slot in range(1, DEVICES):
        in_slot = picked(DEVICES_BY_SLOT[slot], pl.col("chosen"))
        profile = pl.when(pl.col("device") == slot).then(in_slot).otherwise(profile)
    visits = visits.with_columns(profile=profile).with_columns(app=at(IS_APP, pl.col("profile")))
    visits = visits.with_columns(
        _user(draws, dump),
        _source(),
        _story(),
        session_id=draws.identifier(Kind.SESSION, pl.col("key")),
        start=pl.col("start") + _clock_error(),
        pace=8 + bits(chance, 34, 16),
        place=pl.col("place") + pl.col("as_of_dump").cast(pl.UInt64) * PLACES,
    )
    names = [
        "key", "user_id", "session_id", "start", "as_of_dump", "chance", "profile",
        "place", "address", "source", "story", "pace",
    ]  # fmt: skip
    return visits.select(*names).with_columns(landing=_landing(draws))


def _user(draws: Draws, dump: Dump) -> pl.Expr:
    """Return the Heap user of the visit: as recorded, or as known when the dump is taken."""
    known, known_at = pl.col("known_0"), pl.col("known_0_at")
    for slot in range(1, DEVICES):
        this = pl.col("device") == slot
        known = pl.when(this).then(f"known_{slot}").otherwise(known)
        known_at = pl.when(this).then(f"known_{slot}_at").otherwise(known_at)
    now = pl.col("as_of_dump")
    identified = pl.when(now).then((known_at < dump.until).fill_null(value=False)).otherwise(pl.col("number") > known)
    renamed_by_now = (pl.col("renamed_at") < dump.until).fill_null(value=False)
    renamed = pl.when(now).then(renamed_by_now).otherwise(pl.col("number") > pl.col("renamed"))
    return (
        pl.when(~identified)
        .then(device_user(draws, pl.col("device")))
        .when(renamed)
        .then(identity_user(draws, Kind.SECOND_IDENTITY))
        .otherwise(identity_user(draws, Kind.IDENTITY))
        .alias("user_id")
    )


def _source() -> pl.Expr:
    detail = pl.col("detail")
    source = pl.when("app").then(APP_SOURCE).when(pl.col("number") == 0).then(picked(FIRST_SOURCES, detail))
    return source.otherwise(picked(LATER_SOURCES, detail)).cast(pl.UInt32).alias("source")


def _story() -> pl.Expr:
    signing_up = pl.col("number") == pl.col("known_0")
    told = {
        audience: picked(STORIES_BY_AUDIENCE[audience], bits(pl.col("detail"), 20, 1 << 30)) for audience in Audience
    }
    return (
        pl.when(pl.col("app") & signing_up)
        .then(told[Audience.APP_SIGNING_UP])
        .when("app")
        .then(told[Audience.APP])
        .when(signing_up)
        .then(told[Audience.SIGNING_UP])
        .when(pl.col("number") > pl.col("known_0"))
        .then(told[Audience.KNOWN])
        .otherwise(told[Audience.NEW])
        .alias("story")
    )


def _clock_error() -> pl.Expr:
    """Return how far the client's clock runs ahead (ms): mostly not at all, sometimes weeks."""
    ahead = bits(pl.col("chance"), 38, _PER_MILLE) < _AHEAD
    error = pl.when(ahead).then(DAY + bits(pl.col("chance"), 12, 40) * DAY)
    return error.otherwise(0).cast(pl.Int64)


def _landing(draws: Draws) -> pl.Expr:
    """Return the page and product of the first page, as one place in the tables of pages."""
    page, product = at(LANDING_PAGES, pl.col("story")), at(LANDING_PRODUCTS, pl.col("story"))
    return page * PRODUCTS + shown_product(draws, product)


def shown_product(draws: Draws, ordinal: pl.Expr) -> pl.Expr:
    """Return the ``ordinal``-th product that a visit comes across."""
    return picked(POPULAR_PRODUCTS, draws.number(pl.col("key") * 16 + ordinal, "product"))
