"""What heap_assets does with the clickstream: its transforms between reading Parquet and writing it.

Not here: the same by others (clickstream_peers.py).
"""

from datetime import timedelta
from typing import Any

import polars as pl

from heap_assets.transforms.analytics.funnels import funnel_users
from heap_assets.transforms.analytics.pageview_sessions import heap_pageviews
from heap_assets_tests.benchmarks.clickstream import STEPS, WINDOW_DAYS

_PAGEVIEW = ("event_id", "user_id", "session_id", "time")
_TEXTS = ("domain", "path", "query", "hash", "title", "previous_page")


def sessions(file: str, out: str) -> dict[str, Any]:
    """Write heap_pageviews."""
    views = (
        pl.scan_parquet(file)
        .filter(pl.col("event_table_name") == "pageviews")
        .select(*_PAGEVIEW, *_TEXTS)
        .collect(engine="streaming")
    )
    heap_pageviews(views).write_parquet(out, compression="zstd")
    return {}


def funnel(file: str) -> dict[str, Any]:
    """Return how many users reached each step, counted in funnel_users, which has the time of each step too."""
    numbers = {step: number for number, step in enumerate(STEPS, start=1)}
    occurrences = (
        pl.scan_parquet(file)
        .filter(pl.col("event_table_name").is_in(STEPS))
        .select(
            pl.col("user_id").alias("heap_user_id"),
            "time",
            pl.col("event_table_name").replace_strict(numbers, return_dtype=pl.Int64).alias("step"),
        )
        .collect(engine="streaming")
    )
    reached = funnel_users(occurrences, funnel="purchase", step_names=STEPS, window=timedelta(days=WINDOW_DAYS))
    users = reached.group_by("step_number").len().sort("step_number")
    return {"users": users["len"].to_list()}


def content(file: str) -> dict[str, Any]:
    """Return how many rows and sessions a file of heap_pageviews has, and a number that is all its rows, in any order.

    Not a contestant: for the check that they have written the same.
    """
    rows = pl.scan_parquet(file)
    found = rows.select(
        pl.len().alias("rows"),
        pl.col("heap_pageview_session_id").n_unique().alias("sessions"),
        pl.struct(pl.all()).hash().sum().alias("content"),
    ).collect(engine="streaming")
    return found.row(0, named=True)
