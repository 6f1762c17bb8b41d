"""Rules on who became whom: cycles, users with two targets, and one person made of too many users.

In: user_migrations (from_user_id, to_user_id), identity_map, and users' identities. Source: Heap's page on identity
resolution: an identity such as 'undefined' or 'null', sent by a page for all users, merges all of them into one person.
"""

import polars as pl

from heap_assets.quality.outcome import MOST_KEYS, Outcome, Verdict, shown_keys

MOST_USERS_IN_ONE = 1_000
NO_IDENTITIES = ("undefined", "null", "none", "nan", "[object object]", "anonymous", "test", "0", "-1", "")


def cycles_outcome(migrations: pl.DataFrame, identity_map: pl.DataFrame) -> Outcome:
    """Return how many migrations had to be left out because they closed a circle."""
    moved = migrations.filter(pl.col("from_user_id") != pl.col("to_user_id"))["from_user_id"].unique()
    broken = moved.filter(~moved.is_in(identity_map["user_id"].implode())).sort()
    return Outcome(
        verdict=Verdict.WARNING if len(broken) else Verdict.PASSED,
        message=f"{len(broken):,} migrations close a circle; the newest edge of each is left out.",
        numbers={"migrations": len(moved), "cycles": len(broken)},
        keys=shown_keys(broken.head(MOST_KEYS).to_frame()),
    )


def conflicts_outcome(migrations: pl.DataFrame) -> Outcome:
    """Return how many users were merged into more than one other user; the newest migration counts."""
    targets = migrations.filter(pl.col("from_user_id") != pl.col("to_user_id")).unique()
    conflicts = targets.group_by("from_user_id").len("targets").filter(pl.col("targets") > 1).sort("from_user_id")
    return Outcome(
        verdict=Verdict.WARNING if len(conflicts) else Verdict.PASSED,
        message=f"{len(conflicts):,} users were merged into more than one other user; the newest migration counts.",
        numbers={"conflicts": len(conflicts)},
        keys=shown_keys(conflicts.head(MOST_KEYS)),
    )


def fan_in_outcome(identity_map: pl.DataFrame, identities: pl.DataFrame) -> Outcome:
    """Return whether one person is made of too many users, or has an identity that says nothing.

    ``identities`` has user_id and identity of users; only such that say nothing are ever told.
    """
    sizes = identity_map.group_by(pl.col("resolved_user_id").alias("user_id")).len("merged_users")
    empty = identities.filter(pl.col("identity").str.strip_chars().str.to_lowercase().is_in(NO_IDENTITIES))
    merged = empty.join(sizes, on="user_id").select("user_id", "merged_users", "identity")
    large = sizes.filter(pl.col("merged_users") > MOST_USERS_IN_ONE).join(merged, on="user_id", how="anti")
    bad = pl.concat([merged, large.with_columns(pl.lit(None, dtype=pl.String).alias("identity"))])
    bad = bad.sort("merged_users", "user_id", descending=True)
    return Outcome(
        verdict=Verdict.WARNING if len(bad) else Verdict.PASSED,
        message=f"{len(large):,} people are made of more than {MOST_USERS_IN_ONE:,} users, {len(merged):,} of users"
        " whose identity says nothing, such as 'undefined'. Have the page call heap.identify only for people who are"
        " known.",
        numbers={
            "people": len(sizes),
            "most_users_in_one": int(sizes["merged_users"].max() or 0),  # type: ignore[arg-type]
            "too_large": len(large),
            "identity_says_nothing": len(merged),
        },
        keys=shown_keys(bad.head(MOST_KEYS)),
    )
