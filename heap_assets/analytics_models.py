"""The models of schema heap_analytics, and segments: name, key, columns and meaning of each, once.

Here: what CONTRACT section 4 names. A model says of itself whether it is small (published as a table) and whether it
follows from one user's rows. Not here: how it is computed (transforms/), from which tables (pipeline/build/recipes.py).
Source: the models of Heap's dbt project for names and intent.
"""

from collections.abc import Sequence

from heap_assets.schema.documented_columns import Column
from heap_assets.schema.heap_tables import BOOLEAN, DOUBLE, LONG, TEXT, TIME
from heap_assets.schema.model import Model
from heap_assets.schema.value_types import DATE, ColumnType

SCHEMA = "heap_analytics"


def _columns(prefix: str, *columns: tuple[str, ColumnType, str]) -> tuple[Column, ...]:
    return tuple(Column(f"{prefix}{name}", kind, meaning) for name, kind, meaning in columns)


def _texts(prefix: str, of: str, names: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(f"{prefix}{name}", TEXT, f"{name} of {of}") for name in names)


_USER = Column("heap_user_id", LONG, "The person, after merging")
_UTM = ("utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content")

HEAP_EVENTS = Model(
    name="heap_events",
    description="One row per pageview and event of all tables, with its place in its session and in funnel_events.",
    key=("heap_event_name", "heap_event_id", "heap_user_id"),
    columns=(
        Column("heap_event_id", LONG, "Id of the event, made by Heap"),
        _USER,
        Column("heap_session_id", LONG, "Session; null for events outside one"),
        Column("heap_event_name", TEXT, "Table of the event; pageview for a pageview"),
        Column("heap_event_time", TIME, "When it happened (UTC)"),
        Column("heap_session_event_sequence", LONG, "Place in the user's session, from 1; null without a session"),
        Column("heap_event_funnel_position", LONG, "Place in funnel_events of the configuration, from 1; else 0"),
        Column("heap_event_is_conversion", BOOLEAN, "Whether it is one of conversion_events of the configuration"),
    ),
)
HEAP_PAGEVIEWS = Model(
    name="heap_pageviews",
    description="One row per pageview, in sessions of our own: a pause longer than session_gap starts the next one.",
    key=("heap_pageview_id", "heap_user_id"),
    columns=(
        Column("heap_pageview_id", LONG, "Id of the pageview, made by Heap"),
        _USER,
        Column("heap_session_id", LONG, "Heap's own session"),
        Column("heap_pageview_time", TIME, "When the page was viewed (UTC)"),
        *_texts("heap_pageview_", "the page", ("domain", "path", "query", "hash", "title")),
        Column("heap_pageview_previous_page", TEXT, "Page before this one, as Heap recorded it"),
        *_columns(
            "heap_pageview_session_",
            ("id", TEXT, "Our session of pageviews: user and index"),
            ("index", LONG, "Number of the session among the user's, from 0"),
            ("sequence_number", LONG, "Place of the pageview in the session, from 1"),
            ("start_time", TIME, "First pageview of the session (UTC)"),
            ("end_time", TIME, "Last pageview of the session (UTC)"),
            ("first_pageview_id", LONG, "The session's first pageview"),
            ("last_pageview_id", LONG, "The session's last pageview with a time"),
            ("start_epoch", LONG, "start_time in whole seconds since 1970"),
            ("end_epoch", LONG, "end_time in whole seconds since 1970"),
        ),
    ),
)
HEAP_SESSIONS = Model(
    name="heap_sessions",
    description="One row per session: its place among the user's, its end, its events, where it came from.",
    key=("heap_session_id", "heap_user_id"),
    columns=(
        Column("heap_session_id", LONG, "Id of the session, made by Heap"),
        _USER,
        Column("heap_session_sequence_num", LONG, "Number of the session among the user's, from 1"),
        Column("heap_session_start_time", TIME, "When it began (UTC)"),
        Column("heap_session_end_time", TIME, "The later of its begin and its last event (UTC)"),
        Column("heap_session_event_count", LONG, "Pageviews and events in it"),
        Column("heap_session_conversion_lookback_14d", TIME, "Its begin less 14 days (UTC)"),
        Column("heap_session_conversion_lookforward_14d", TIME, "Its begin and 14 days (UTC)"),
        *_texts("heap_session_", "the user", ("country", "region", "city", "ip")),
        Column("heap_session_referrer", TEXT, "Page that led to the site; null for direct"),
        *_texts(
            "heap_session_",
            "the session",
            ("landing_page", "landing_page_query", "landing_page_hash", "browser", *_UTM),
        ),
        Column("heap_session_defined_channel_attribution", TEXT, "Channel: the first rule that matches"),
        Column("heap_session_is_conversion", BOOLEAN, "Whether a conversion event of the user is in it"),
    ),
)
HEAP_USERS = Model(
    name="heap_users",
    user="user_id",
    description="One row per person: all columns of users, labeled properties, and initial_* of the first session.",
    key=("user_id",),
    columns=(
        Column("user_id", LONG, "The person, after merging"),
        Column("initial_session_time", TIME, "Begin of the first session (UTC)"),
        Column("initial_referrer", TEXT, "Page that led to the site then; null for direct"),
        *_texts("initial_", "the first session", ("landing_page", *_UTM)),
        *_texts("initial_", "the first session", ("device_type", "platform", "browser", "country", "region", "city")),
        Column("initial_marketing_channel", TEXT, "Channel of the first session"),
    ),
)
FUNNEL_USERS = Model(
    name="funnel_users",
    description="One row per funnel, user who did its first step, and step reached.",
    key=("funnel", "heap_user_id", "step_number"),
    columns=(
        Column("funnel", TEXT, "Funnel of the configuration"),
        _USER,
        Column("group_value", TEXT, "Value of group_by; null without group_by, (none) where it is null"),
        Column("steps_completed", LONG, "How many steps the user got through"),
        Column("step_number", LONG, "Step, from 1"),
        Column("step_name", TEXT, "Event of the step, as configured"),
        Column("step_time", TIME, "When the user did it (UTC)"),
    ),
)
FUNNEL_STEPS = Model(
    name="funnel_steps",
    description="How many users got how far in each funnel, at which rate, and how long it took them.",
    key=("funnel", "group_value", "step_number"),
    columns=(
        Column("funnel", TEXT, "Funnel of the configuration"),
        Column("group_value", TEXT, "Value of group_by; null without group_by, (none) where it is null"),
        Column("step_number", LONG, "Step, from 1"),
        Column("step_name", TEXT, "Event of the step, as configured"),
        Column("users", LONG, "Users who reached it"),
        Column("conversion_from_start", DOUBLE, "Share of those who did the first step"),
        Column("conversion_from_previous", DOUBLE, "Share of those who did the step before; null if nobody did"),
        Column("median_seconds_from_previous", DOUBLE, "Median time since the step before, in seconds"),
        Column("median_seconds_from_start", DOUBLE, "Median time since the first step, in seconds"),
    ),
    small=True,
    user_local=False,
)
ATTRIBUTION = Model(
    name="attribution",
    description="One row per model, conversion and session that it is owed to; weights of a conversion sum to 1.",
    key=("model", "heap_event_name", "heap_event_id", "heap_user_id", "heap_session_id"),
    columns=(
        Column("model", TEXT, "first_touch, last_touch, last_non_direct_touch, linear, position_based or time_decay"),
        Column("heap_event_id", LONG, "The conversion"),
        Column("heap_event_name", TEXT, "Event that it is"),
        _USER,
        Column("conversion_time", TIME, "When it happened (UTC)"),
        Column("heap_session_id", LONG, "The touch; null if there is none within the lookback"),
        Column("channel", TEXT, "Channel of the touch; Unattributed without one"),
        Column("weight", DOUBLE, "Share of the conversion"),
    ),
)
ATTRIBUTION_BY_CHANNEL = Model(
    name="attribution_by_channel",
    description="How many conversions each attribution model gives each channel, by day.",
    key=("model", "day", "channel"),
    columns=(
        Column("model", TEXT, "Attribution model"),
        Column("day", DATE, "Day of the conversion (UTC)"),
        Column("channel", TEXT, "Channel"),
        Column("conversions", DOUBLE, "Sum of weights"),
    ),
    small=True,
    user_local=False,
)
RETENTION = Model(
    name="retention",
    description="Of the users whose first session was in a week or month, how many had one in the periods after.",
    key=("period", "cohort", "periods_since"),
    columns=(
        Column("period", TEXT, "week (from Monday) or month"),
        Column("cohort", DATE, "Day on which the period of the first session begins (UTC)"),
        Column("periods_since", LONG, "Weeks or months since"),
        Column("users", LONG, "Users of the cohort with a session in that period"),
        Column("cohort_size", LONG, "Users of the cohort"),
        Column("rate", DOUBLE, "users over cohort_size"),
    ),
    small=True,
    user_local=False,
)
PATHS = Model(
    name="paths",
    description="With which five events sessions begin, and how often; only sessions with at least five.",
    key=("step_1", "step_2", "step_3", "step_4", "step_5"),
    columns=(
        *(Column(f"step_{place}", TEXT, f"Event {place} of the session") for place in range(1, 6)),
        Column("users", LONG, "Users with such a session"),
        Column("sessions", LONG, "Sessions that begin so"),
    ),
    small=True,
    user_local=False,
)
ANALYTICS = (
    HEAP_EVENTS,
    HEAP_PAGEVIEWS,
    HEAP_SESSIONS,
    HEAP_USERS,
    FUNNEL_USERS,
    ATTRIBUTION,
    FUNNEL_STEPS,
    ATTRIBUTION_BY_CHANNEL,
    RETENTION,
    PATHS,
)
"""Every model of heap_analytics, each after those that it is made of."""


def segment_model(segment: str) -> Model:
    """Return the model of a configured segment; it is published in the schema with migrations."""
    return Model(
        name=f"segment_{segment}",
        description=f"Users of the segment {segment}, as the configuration defines it.",
        key=("user_id",),
        columns=(Column("user_id", LONG, "The person, after merging"),),
        user="user_id",
        small=True,
    )
