"""Users with what is known of their first session: where they came from, and on what.

In: users and sessions, both on resolved users. Out: heap_users. A function of one user's rows.
Source: "enhanced users" of Heap's common queries (the user joined with the earliest session); CONTRACT section 4.
"""

from collections.abc import Sequence

import polars as pl
import polars.selectors as cs

from heap_assets.schema.names import published_names
from heap_assets.transforms.analytics.channels import ChannelRule, channels, referrer
from heap_assets.transforms.analytics.runs import begins_run, in_order
from heap_assets.transforms.analytics.text_columns import text_column

_TEXTS = {
    "initial_landing_page": "landing_page",
    "initial_utm_source": "utm_source",
    "initial_utm_campaign": "utm_campaign",
    "initial_utm_medium": "utm_medium",
    "initial_utm_term": "utm_term",
    "initial_utm_content": "utm_content",
    "initial_device_type": "device_type",
    "initial_platform": "platform",
    "initial_browser": "browser",
    "initial_country": "country",
    "initial_region": "region",
    "initial_city": "city",
}
INITIAL_COLUMNS = ("initial_session_time", "initial_referrer", *_TEXTS, "initial_marketing_channel")


def heap_users(
    users: pl.DataFrame, sessions: pl.DataFrame, *, rules: Sequence[ChannelRule], own_domains: Sequence[str] = ()
) -> pl.DataFrame:
    """Return heap_users: the users with all their columns, and initial_* of the earliest session by time, then id.

    In: ``users`` has user_id (Int64) and any other column, computed properties included; ``sessions`` are theirs, with
    session_id, user_id (Int64), time (Datetime us, null sorts last) and what the export has besides.
    Out: the columns of ``users`` (one that meets a name of ours gets a numbered suffix), initial_session_time (Datetime
    us), and as String initial_referrer (null for direct), initial_landing_page, initial_utm_source, _campaign, _medium,
    _term, _content, initial_device_type, initial_platform, initial_browser, initial_country, initial_region,
    initial_city, initial_marketing_channel; all null for a user without a session.

    >>> users = pl.DataFrame({"user_id": [7], "plan": ["gold"]})
    >>> sessions = pl.DataFrame({"session_id": [6, 5], "user_id": 7, "time": None, "city": ["Rome", "Oslo"]})
    >>> heap_users(users, sessions, rules=[]).select("plan", "initial_city").rows()
    [('gold', 'Oslo')]
    """
    own = [name for name in users.columns if name != "user_id"]
    renamed = users.rename(published_names(own, reserved=["user_id", *INITIAL_COLUMNS]))
    first = _first_sessions(sessions)
    columns = first.schema
    initial = first.select(
        "user_id",
        pl.col("time").cast(pl.Datetime("us")).alias("initial_session_time"),
        referrer(columns).alias("initial_referrer"),
        *(text_column(name, columns).alias(initial) for initial, name in _TEXTS.items()),
    ).with_columns(channels(first, rules=rules, own_domains=own_domains).alias("initial_marketing_channel"))
    return renamed.join(initial, on="user_id", how="left").select(
        cs.by_name(*renamed.columns), cs.by_name(*INITIAL_COLUMNS)
    )


def _first_sessions(sessions: pl.DataFrame) -> pl.DataFrame:
    """Return the earliest session of each user; only its row is read in full."""
    keys = in_order(
        sessions.select("user_id", "time", "session_id").with_row_index("row"), "user_id", "time", ties=["session_id"]
    )
    return sessions.select(pl.all().gather(keys.filter(begins_run("user_id"))["row"]))
