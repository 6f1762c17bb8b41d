"""Limits of a run: its memory, when small files are compacted, layers put together, users refreshed, buckets cut.

None of them changes a row of any table. Here: the values and what was measured. Not here: which of them a user sets, by
HEAP_MEMORY_GIB (settings.py).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerLimits:
    """When layers of rows by user are put together: more than so many, or refreshed rows beyond that share."""

    most_layers: int = 8
    largest_share: float = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All limits.

    Attributes:
        memory_gib: About how much memory a first build may take, 2.3 at least; larger data is computed in parts.
        most_small_files: Of a table; each costs a scan, and every query of the published file, about 1 ms.
        small_bytes: A file below that is small.
        most_user_row_files: That count the rows of a table by user; each is read whenever users are looked up.
        most_times_ahead: That are remembered of a table, of rows whose clock ran ahead of their dump.
        few_users, largest_share_of_users: If more users than that share changed, and more than a few, all users' rows
            are built: that is faster.
        fixed_gib, rows_of_a_gib, fewest_rows: What any build takes, how many rows of sessions, pageviews and events go
            into each GiB besides, and how many at least into a bucket. Measured on 19.1 million rows: as a whole 4.6
            GiB, in buckets of 6.4 million 2.5, in smaller ones 2.3.
    """

    layers: LayerLimits = field(default_factory=LayerLimits)
    memory_gib: float = 5.0
    most_small_files: int = 8
    small_bytes: int = 16 << 20
    most_user_row_files: int = 8
    most_times_ahead: int = 5_000
    few_users: int = 10_000
    largest_share_of_users: float = 0.3
    fixed_gib: float = 1.7
    rows_of_a_gib: int = 6_700_000
    fewest_rows: int = 1_000_000
