"""Rows in order, and the runs of equal keys that they then form: arithmetic on neighbours instead of windows per group.

Here: the sort, where a run begins, the place of a row in its run. Not here: what the runs mean.
Measured, processor time of 1 million rows: a stable pass over one key takes 0.13 s, one sort by two keys 1.0 s; a row
number by ``.over()`` takes 60 times what ``place_in_run`` takes; rows picked from many chunks take 4 times as long.
"""

from collections.abc import Sequence

import polars as pl

_RUN = "$run"


def in_order(rows: pl.DataFrame, *keys: str, ties: Sequence[str] = ()) -> pl.DataFrame:
    """Return the rows sorted by ``keys`` and then by ``ties``, the first of them first; a null sorts last.

    The result is the same whichever stands where; ``ties`` are cheap if few rows are equal in ``keys``. Rows that are
    equal in all of them keep their order.

    >>> in_order(pl.DataFrame({"user": [2, 1, 1], "time": [5, None, 7]}), "user", "time").rows()
    [(1, 7), (1, None), (2, 5)]
    """
    rows = rows.rechunk()
    found = rows.select(pl.all().gather(_order(rows, keys)))
    return _settled(found, keys, ties) if ties else found


def _order(rows: pl.DataFrame, keys: Sequence[str]) -> pl.Series:
    """Return the row numbers in the order of ``keys``: a stable pass over each, the last of them first."""
    order: pl.Series | None = None
    for key in reversed(keys):
        column = rows[key] if order is None else rows[key].gather(order)
        places = column.to_frame().select(pl.arg_sort_by(key, nulls_last=True, maintain_order=True)).to_series()
        order = places if order is None else order.gather(places)
    return pl.int_range(rows.height, eager=True) if order is None else order


def _settled(rows: pl.DataFrame, keys: Sequence[str], ties: Sequence[str]) -> pl.DataFrame:
    """Return the rows with those of each run of equal ``keys`` in the order of ``ties``."""
    begins = rows.select(begins_run(*keys)).to_series()
    places = (~(begins & begins.shift(-1, fill_value=True))).arg_true()
    if places.is_empty():
        return rows
    among = rows.select(*ties, begins.cum_sum().alias(_RUN)).select(pl.all().gather(places))
    order = pl.int_range(rows.height, eager=True)
    in_turn = places.gather(_order(among, (_RUN, *ties))).cast(pl.Int64)
    return rows.select(pl.all().gather(order.scatter(places, in_turn)))


def begins_run(*keys: str) -> pl.Expr:
    """Return whether a row of a sorted frame differs in one of ``keys`` from the row above; a null equals a null.

    >>> pl.DataFrame({"user": [1, 1, None, None]}).select(begins_run("user")).to_series().to_list()
    [True, False, True, False]
    """
    differs = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift(1)) for key in keys)
    return differs | (pl.int_range(pl.len()) == 0)


def run_start(begins: pl.Expr) -> pl.Expr:
    """Return the position (Int64, from 0) of the row with which a row's run begins."""
    return pl.when(begins).then(pl.int_range(pl.len())).forward_fill()


def place_in_run(begins: pl.Expr) -> pl.Expr:
    """Return the place (Int64, from 1) of each row in its run.

    >>> pl.DataFrame({"user": [1, 1, 2]}).select(place_in_run(begins_run("user"))).to_series().to_list()
    [1, 2, 1]
    """
    return pl.int_range(pl.len()) - run_start(begins) + 1
