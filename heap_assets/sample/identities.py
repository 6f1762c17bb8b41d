"""In which of their visits people are identified, and who comes back on a last day of a given share.

Here: devices, the numbers of those visits, how many visits there are. Not here: when a visit is (people.py).
"""

import polars as pl

from heap_assets.sample.calendar import SLICE
from heap_assets.sample.draws import Draws, bits, picked
from heap_assets.sample.size import MOST_LAST_VISITS, SampleSize

DEVICES = 3
NEVER = 1 << 20
"""The number of a visit that does not happen."""
REMARKABLE = 8
"""The first few people have a remarkable history in every sample; the identity of every second one changes."""

_USUAL_IN_60_DAYS = 5  # visits of a person on average
_OCCASIONAL = 5  # visits
_RENAMED_PERCENT = 6
_DEVICES_OWNED = pl.Series([1] * 6 + [2] * 3 + [3], dtype=pl.UInt64)

_PERSON = pl.col("person")


def with_identities(people: pl.LazyFrame, size: SampleSize, draws: Draws) -> pl.LazyFrame:
    """Add ``returning`` and ``visits``, the devices, and the visits in which a person is identified or renamed."""
    usual = pl.col("usual_visits")
    if size.last_dump_share is None:
        return _with_identities(people.with_columns(visits=usual, returning=pl.lit(value=True)))
    average = size.last_dump_visits or min(MOST_LAST_VISITS, 1 + _USUAL_IN_60_DAYS * size.days // 60)
    extra = 1 + bits(pl.col("luck"), 50, 2 * average - 1)
    drawn = draws.number(_PERSON, "returning")
    frame = people.with_columns(returning=bits(drawn, 0, SLICE) < int(size.last_dump_share * SLICE))
    visits = usual + pl.when("returning").then(extra).otherwise(0)
    frame = _with_identities(frame.with_columns(visits=visits))
    if size.last_dump_merging == 1:
        return frame
    changes = [pl.col(name) for name in ("renamed", *(f"known_{device}" for device in range(DEVICES)))]
    merges = pl.any_horizontal((change != NEVER) & (change >= usual) for change in changes)
    stays_away = merges & (bits(drawn, 24, SLICE) >= int(size.last_dump_merging * SLICE))
    frame = frame.with_columns(returning=pl.col("returning") & ~stays_away).with_columns(visits=visits)
    return _with_identities(frame)


def _with_identities(frame: pl.LazyFrame) -> pl.LazyFrame:
    remarkable, luck, visits = _PERSON < REMARKABLE, pl.col("luck"), pl.col("visits")
    with_account = pl.when(visits == 1).then(12).when(visits <= _OCCASIONAL).then(45).otherwise(80)
    owned = pl.when(remarkable).then(2).otherwise(picked(_DEVICES_OWNED, luck))
    frame = frame.with_columns(
        devices=pl.min_horizontal(owned, visits).cast(pl.UInt64),
        # The oftener somebody comes, the likelier there is an account.
        identifies=remarkable | (bits(luck, 10, 100) < with_account),
    )
    # A device is anonymous for a while: its first visits are those numbered below the number of devices.
    one = pl.min_horizontal(bits(luck, 20, 4), visits - 1)
    first = pl.when(pl.col("devices") == 1).then(one).otherwise(pl.col("devices") + bits(luck, 20, 3))
    never = pl.lit(NEVER, dtype=pl.UInt64)
    frame = frame.with_columns(known_0=pl.when("identifies").then(first).otherwise(never))
    frame = frame.with_columns(known_1=pl.col("known_0") + 1 + bits(luck, 24, 3))
    frame = frame.with_columns(known_2=pl.col("known_1") + 1 + bits(luck, 28, 3))
    moved = (remarkable & (_PERSON % 2 == 1)) | (bits(luck, 32, 100) < _RENAMED_PERCENT)
    renamed = pl.when(moved).then(pl.col("known_0") + 2 + bits(luck, 36, 3)).otherwise(never)
    return frame.with_columns(
        pl.when(pl.col("known_0") < visits).then("known_0").otherwise(never).alias("known_0"),
        *(
            pl.when((pl.col(f"known_{device}") < visits) & (pl.col("devices") > device))
            .then(f"known_{device}")
            .otherwise(never)
            .alias(f"known_{device}")
            for device in range(1, DEVICES)
        ),
        renamed=pl.when(renamed < visits).then(renamed).otherwise(never),
    )
