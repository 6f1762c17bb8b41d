"""The rows of the users table: anonymous devices, identities, and what changes about them.

Here: what one dump says of users. Not here: who merges into whom (people.py).
"""

import polars as pl

from heap_assets.sample.calendar import Dump
from heap_assets.sample.draws import Draws, Kind, bits, picked
from heap_assets.sample.identities import DEVICES
from heap_assets.sample.people import cancels, device_user, identity_user

_NAMES = pl.Series(["ada", "grace", "jürgen", "marie", "alan", "sofia", "noor", "li", "olga", "kofi", "zoë", "emil"])
_AGAIN, _BOTH = 50, 6  # one user in so many is sent again unchanged, or together with the state before


def users(draws: Draws, people: pl.DataFrame, dump: Dump, *, before: int) -> tuple[pl.DataFrame, int]:
    """Return the users that a dump delivers, and how many of them it delivers for the first time.

    ``before`` is when the last dump but one was taken: a few users of the last one come again.
    """
    times = [pl.col(name).is_between(before, dump.until) for name in people.columns if name.endswith("_at")]
    changed = people.filter(pl.any_horizontal(times))  # nobody else can be in this dump
    now = _as_of(pl.concat([*_devices(draws, changed), *_identities(draws, changed)]), pl.lit(dump.until))
    now = now.filter(pl.col("last_modified") >= before)
    luck = draws.number(pl.col("user_id").cast(pl.UInt64), f"user {dump.index}")
    fresh = pl.col("last_modified") >= dump.after
    delivered = now.filter(fresh | (luck % _AGAIN == 0)).with_columns(fresh=fresh).collect()
    earlier = _as_of(delivered.lazy().filter("fresh", bits(luck, 20, _BOTH) == 0), pl.col("last_modified"))
    rows = pl.concat([earlier.filter(fresh), delivered.lazy()])
    return rows.select(*_columns(dump)).collect(), delivered.filter(pl.col("joindate") >= dump.after).height


def _as_of(everyone: pl.LazyFrame, moment: pl.Expr) -> pl.LazyFrame:
    """Return the users that are there before a moment, with the time of their last change before it."""
    changes = [pl.when(pl.col(name) < moment).then(name) for name in ("joindate", "second", "third")]
    return everyone.filter(pl.col("joindate") < moment).with_columns(last_modified=pl.max_horizontal(changes))


def _devices(draws: Draws, people: pl.DataFrame) -> list[pl.LazyFrame]:
    """Return the anonymous users: they appear, and are touched once more when they are identified."""
    return [
        people.lazy().select(
            "person",
            "luck",
            kind=pl.lit(int(Kind.DEVICE)),
            user_id=device_user(draws, device),
            joindate=f"seen_{device}_at",
            second=f"known_{device}_at",
            third=pl.lit(None, dtype=pl.Int64),
        )
        for device in range(DEVICES)
    ]


def _identities(draws: Draws, people: pl.DataFrame) -> list[pl.LazyFrame]:
    """Return the identified users: their plan changes up to two times."""
    return [
        people.lazy().select(
            "person",
            "luck",
            kind=pl.lit(int(kind)),
            user_id=identity_user(draws, kind),
            joindate=since,
            second=pl.max_horizontal(since, "upgraded_at"),
            third=pl.max_horizontal(since, "changed_at"),
        )
        for kind, since in ((Kind.IDENTITY, "known_0_at"), (Kind.SECOND_IDENTITY, "renamed_at"))
    ]


def _columns(dump: Dump) -> list[pl.Expr]:
    luck, modified, joined = pl.col("luck"), pl.col("last_modified"), pl.col("joindate")
    known = pl.col("kind") != int(Kind.DEVICE)
    number = pl.col("person").cast(pl.String)
    handle = pl.concat_str(picked(_NAMES, luck), pl.lit("."), number)
    email = pl.concat_str(handle, pl.lit("@mail.example.org"))
    customer = pl.concat_str(pl.lit("customer-"), number)
    changed = (pl.col("third") > joined) & (pl.col("third") <= modified)
    upgraded = (pl.col("second") > joined) & (pl.col("second") <= modified)
    plan = (
        pl.when(changed)
        .then(pl.when(cancels()).then(pl.lit("free")).otherwise(pl.lit("gold")))
        .when(upgraded)
        .then(pl.lit("plus"))
        .otherwise(pl.lit("free"))
    )
    identity = pl.when(pl.col("kind") == int(Kind.IDENTITY)).then(email).otherwise(customer)
    of_known: dict[str, pl.Expr] = {
        "identity": identity,
        "handle": handle,
        "email": email,
        "plan": plan,
        "loyalty_points": bits(luck, 12, 900).cast(pl.Int64),
    }
    if dump.grown:
        of_known["newsletter"] = bits(luck, 30, 2) == 0
    columns = {name: pl.when(known).then(value).alias(name) for name, value in of_known.items()}
    ids = [columns.pop(name) for name in ("identity", "handle", "email")]
    return [pl.col("user_id"), *ids, joined, modified, *columns.values()]
