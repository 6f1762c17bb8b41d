"""Events that the shop's servers send: they know who it is, but nothing of browsers, and their sessions are their own.

Here: the tables ``support_ticket`` and ``plan_charged``. Not here: events of visits (events.py).
"""

import polars as pl

from heap_assets.sample.calendar import DAY, Calendar, Dump
from heap_assets.sample.draws import Draws, Kind, bits, picked
from heap_assets.sample.events import time_text
from heap_assets.sample.people import cancels, identity_user

SERVER_TABLES = ("plan_charged", "support_ticket")

_PER_PERSON = 1024
_FIRST_CHARGE = 512  # tickets are numbered below
_MOST_CHARGES = 48
_CHARGED_EVERY = 30 * DAY
_TICKETS = pl.Series([0] * 24 + [1] * 5 + [2, 3, 5], dtype=pl.UInt64)
_SUBJECTS = pl.Series(["Where is my order?", "Return", "Wrong size", "Invoice", "Größe", "Broken zip"])
_PRIORITIES = pl.Series(["low", "normal", "normal", "high"])
_CHANCE = pl.col("chance")


def server_events(calendar: Calendar, draws: Draws, people: pl.DataFrame, dump: Dump, table: str) -> pl.DataFrame:
    """Return the rows of a server-side event table that a dump delivers."""
    identified = people.lazy().filter(pl.col("known_0_at").is_not_null())
    if table == "support_ticket":
        rows = _tickets(calendar, draws, identified)
        rows = rows.filter(calendar.slow_dump_index(pl.col("moment")) == dump.index)
        return rows.select(*_common(calendar, draws, "support_ticket", _session(draws)), *_of_ticket()).collect()
    rows = _charges(calendar, draws, identified)
    rows = rows.filter(calendar.dump_index(pl.col("moment")) == dump.index)
    return rows.select(*_common(calendar, draws, "Plan Charged", None), *_of_charge()).collect()


def _tickets(calendar: Calendar, draws: Draws, people: pl.LazyFrame) -> pl.LazyFrame:
    rows = people.with_columns(count=picked(_TICKETS, draws.number(pl.col("person"), "tickets")))
    rows = _numbered(draws, rows.filter(pl.col("count") > 0), 0)
    end = calendar.dumps[-1].until
    left = (end - pl.col("known_0_at")).cast(pl.UInt64)
    return rows.with_columns(
        moment=pl.col("known_0_at") + (left * bits(_CHANCE, 0, 1 << 20) // (1 << 20)).cast(pl.Int64)
    )


def _charges(calendar: Calendar, draws: Draws, people: pl.LazyFrame) -> pl.LazyFrame:
    end = calendar.dumps[-1].until
    count = (1 + (end - pl.col("upgraded_at")) // _CHARGED_EVERY).clip(0, _MOST_CHARGES)
    rows = people.filter(pl.col("upgraded_at") < end).with_columns(count=count.cast(pl.UInt64))
    rows = _numbered(draws, rows, _FIRST_CHARGE)
    months = (pl.col("number") - _FIRST_CHARGE).cast(pl.Int64)
    rows = rows.with_columns(moment=pl.col("upgraded_at") + months * _CHARGED_EVERY)
    return rows.filter(~(cancels() & (pl.col("changed_at") <= pl.col("moment"))).fill_null(value=False))


def _numbered(draws: Draws, rows: pl.LazyFrame, first: int) -> pl.LazyFrame:
    """Return each row as often as it counts, with a number, a key and a draw."""
    rows = rows.with_columns(number=pl.int_ranges(first, pl.col("count") + first, dtype=pl.UInt64)).explode("number")
    rows = rows.with_columns(key=pl.col("person") * _PER_PERSON + pl.col("number"))
    return rows.with_columns(chance=draws.number(pl.col("key"), "server event"))


def _common(calendar: Calendar, draws: Draws, kind: str, session: pl.Expr | None) -> list[pl.Expr]:
    renamed = (pl.col("renamed_at") <= pl.col("moment")).fill_null(value=False)
    user = pl.when(renamed).then(identity_user(draws, Kind.SECOND_IDENTITY))
    return [
        draws.identifier(Kind.SERVER_EVENT, pl.col("key")).alias("event_id"),
        user.otherwise(identity_user(draws, Kind.IDENTITY)).alias("user_id"),
        *([] if session is None else [session.alias("session_id")]),
        time_text(calendar, pl.col("moment")).alias("time"),
        pl.lit(kind).alias("type"),
        pl.lit("server").alias("library"),
    ]


def _session(draws: Draws) -> pl.Expr:
    """Return a session of the server's own, which is in no table, or none."""
    return pl.when(bits(_CHANCE, 24, 4) > 0).then(draws.identifier(Kind.SERVER_SESSION, pl.col("key")))


def _of_ticket() -> list[pl.Expr]:
    return [
        (100_000 + bits(_CHANCE, 28, 1 << 20)).cast(pl.Int64).alias("ticket_number"),
        picked(_SUBJECTS, bits(_CHANCE, 4, 1 << 12)).alias("subject"),
        picked(_PRIORITIES, bits(_CHANCE, 8, 1 << 12)).alias("priority"),
    ]


def _of_charge() -> list[pl.Expr]:
    gold = (pl.col("changed_at") <= pl.col("moment")).fill_null(value=False)
    return [
        pl.when(gold).then(pl.lit("gold")).otherwise(pl.lit("plus")).alias("plan"),
        pl.when(gold).then(9.9).otherwise(4.9).alias("amount"),
    ]
