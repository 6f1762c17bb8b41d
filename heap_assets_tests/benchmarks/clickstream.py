"""A made-up clickstream as one Parquet file in the shape of all_events: pageviews and events of people in visits.

Rows come in the order of days and within a day in none, as daily deliveries do. No two rows of a person share a moment,
so that all contestants define the same funnel. Not here: who reads it (clickstream_ours.py, clickstream_peers.py).
"""

from datetime import datetime
from pathlib import Path

import polars as pl

STEPS = ("product_view", "add_to_cart", "order_completed")
WINDOW_DAYS = 7
_BEGIN = datetime(2026, 3, 1)  # noqa: DTZ001 (UTC without zone, as stored)
_DAYS, _ROWS_OF_A_VISIT, _ROWS_OF_A_PERSON = 60, 8, 40
_LONGEST_STAY_S = 240.0
_PAGEVIEWS, _SEARCHES = 0.75, 0.97
_SHARES = {"product_view": 0.86, "add_to_cart": 0.92, "order_completed": 0.94, "search": _SEARCHES}  # up to
_PAGES = 800
_DRAWS = 1_000_003


def write_clickstream(path: Path, rows: int) -> int:
    """Write so many rows, the same every time, and return how many of them are pageviews."""
    frame = _clickstream(rows)
    frame.write_parquet(path, compression="zstd", row_group_size=500_000)
    return int(frame["event_table_name"].eq("pageviews").sum())


def _clickstream(count: int) -> pl.DataFrame:
    row, visit = pl.col("row"), pl.col("session_id")
    people = max(count // _ROWS_OF_A_PERSON, 1)
    stay_s = (row % _ROWS_OF_A_VISIT) * (1 + _draw(row, 2) * _LONGEST_STAY_S)
    begin_s = _draw(visit, 3) * _DAYS * 86_400
    return (
        pl.LazyFrame({"row": pl.int_range(count, eager=True)})
        .with_columns((row // _ROWS_OF_A_VISIT).alias("session_id"))
        .with_columns((_draw(visit, 4).pow(1.5) * people).cast(pl.Int64).alias("user_id"))
        .with_columns(((begin_s + stay_s) * 1e3).cast(pl.Int64).alias("ms"))
        .sort("user_id", "ms")
        .with_columns((pl.col("ms") * 1_000 + pl.int_range(pl.len()) % 1_000).alias("us"))  # no moment twice
        .with_columns((pl.lit(_BEGIN) + pl.duration(microseconds="us")).cast(pl.Datetime("us")).alias("time"))
        .select(
            _kind(_draw(row, 1)).alias("event_table_name"),
            (row.hash(5) // 2).cast(pl.Int64).alias("event_id"),
            "user_id",
            "session_id",
            "time",
            *_page(_draw(row, 6)),
        )
        .sort(pl.col("time").dt.date(), "event_id")
        .collect()
    )


def _draw(of: pl.Expr, seed: int) -> pl.Expr:
    """Return a number from 0 to 1 for each value, the same for equal values."""
    return (of.hash(seed) % _DRAWS) / _DRAWS


def _kind(draw: pl.Expr) -> pl.Expr:
    kind = pl.when(draw < _PAGEVIEWS).then(pl.lit("pageviews"))
    for name, share in _SHARES.items():
        kind = kind.when(draw < share).then(pl.lit(name))
    return kind.otherwise(pl.lit("scroll"))


def _page(draw: pl.Expr) -> list[pl.Expr]:
    page = (draw.pow(2) * _PAGES).cast(pl.Int64)
    before = ((1 - draw) * _PAGES).cast(pl.Int64)
    return [
        pl.when(draw < 0.9).then(pl.lit("shop.example.com")).otherwise(pl.lit("help.example.com")).alias("domain"),
        pl.format("/products/{}", page).alias("path"),
        pl.when(draw > 0.8).then(pl.format("?utm_campaign={}", page % 20)).alias("query"),
        pl.when(draw > 0.95).then(pl.lit("#reviews")).alias("hash"),
        pl.format("Product {} - Example Shop", page).alias("title"),
        pl.when(draw > 0.3).then(pl.format("https://shop.example.com/products/{}", before)).alias("previous_page"),
    ]
