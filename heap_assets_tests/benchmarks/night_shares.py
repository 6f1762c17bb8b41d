"""What a night is in numbers: its events, the users that it touches, those of them that merge.

Counted in the published file after the night, whose merges all are known; a merge is new if it was not in the dump
before. Not here: how the sample makes such a night (exports.py).
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import polars as pl

from heap_assets_tests.benchmarks.exports import Export, needed_files

_RESOLVED = {"user_id": pl.Int64, "resolved_user_id": pl.Int64}


@dataclass(frozen=True, slots=True, kw_only=True)
class NightShares:
    """How large a night is."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("night's events", "users", "merging")

    events: int
    history_events: int
    touched: int
    merging: int
    users: int

    def cells(self) -> tuple[str, str, str]:
        """Return what stands in COLUMNS."""
        return f"{self.events:,}", f"{self.touched:,}", f"{self.merging:,}"

    def told(self) -> str:
        """Return the numbers as a line."""
        events, touched = self.events / self.history_events, self.touched / self.users
        return f"{events:.2%} new events, {touched:.2%} of the users, {self.merging / self.users:.2%} merging"

    def as_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return asdict(self)


def night_shares(night: Export, published: Path, *, history: Export) -> NightShares:
    """Return the numbers of a night that a published file has taken in."""
    with duckdb.connect(published, read_only=True) as connection:
        merges = connection.execute("SELECT user_id, resolved_user_id FROM main_production_migrated.identity_map")
        resolved = pl.DataFrame(merges.fetchall(), schema=_RESOLVED, orient="row")
        ((users,),) = connection.execute("SELECT count(*) FROM heap_analytics.heap_users").fetchall()
    touched = _column(night, "user_id").to_frame().join(resolved, on="user_id", how="left")
    merged = _column(night, "from_user_id", of="user_migrations")
    new = merged.filter(~merged.is_in(_column(history, "from_user_id", of="user_migrations").implode()))
    return NightShares(
        events=night.events,
        history_events=history.events,
        touched=touched.select(pl.coalesce("resolved_user_id", "user_id").n_unique()).item(),
        merging=resolved.filter(pl.col("user_id").is_in(new.implode()))["resolved_user_id"].n_unique(),
        users=users,
    )


def _column(export: Export, name: str, *, of: str = "") -> pl.Series:
    """Return the distinct values of a column of all tables that have it, or of one."""
    frames = (pl.read_avro(file) for file in needed_files(export) if of in {"", Path(file).parent.name})
    return pl.concat(frame[name].unique() for frame in frames if name in frame.columns).unique()
