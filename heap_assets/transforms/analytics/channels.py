"""Marketing channels: which channel a session came by.

In: sessions. Out: a series, used by heap_sessions and heap_users. The first rule that matches names the channel.
Source: gen_defined_channel_attribution of Heap's dbt project, with its bugs mended (text is compared without case,
tagged traffic without a referrer is not Direct, the own domain matches); CONTRACT section 4.
Not here: the default rules and what the configuration allows (config/channels.py); its rules are what ``ChannelRule``
asks for.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, Protocol

import polars as pl

from heap_assets.transforms.analytics.text_columns import text_column

DIRECT, UNATTRIBUTED = "Direct", "Unattributed"

ChannelField = Literal[
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "referrer",
    "landing_page",
    "landing_page_query",
]

_UP_TO_HOST = r"^\s*(?:(?:[a-z][a-z0-9+.\-]*:)?//)?(?:[^/?#\\@]*@)?(?:[^/?#\\:@\s]*\.)?"
_AFTER_HOST = r"\.?(?::[0-9]*)?(?:[/?#\\\s]|$)"


class Condition(Protocol):
    """What one field of a session must be; all that is given must hold."""

    @property
    def equals(self) -> str | None:
        """Return the text that the field must be."""

    @property
    def contains(self) -> str | None:
        """Return the text that the field must hold."""

    @property
    def contains_any(self) -> Sequence[str] | None:
        """Return texts of which the field must hold at least one."""

    @property
    def is_null(self) -> bool | None:
        """Return whether the field must be null, or must not."""


class Rule(Protocol):
    """Conditions on a session that must all hold."""

    @property
    def text_conditions(self) -> Mapping[ChannelField, Condition]:
        """Return the conditions on single fields."""

    @property
    def own_domain(self) -> bool | None:
        """Return whether the referrer's host must be an own domain."""

    @property
    def any_of(self) -> "Sequence[Rule] | None":
        """Return rules of which at least one must hold."""


class ChannelRule(Rule, Protocol):
    """A rule with the channel that it names."""

    @property
    def name(self) -> str:
        """Return the channel."""


def referrer(columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return the referrer (String) of sessions with these columns; null for direct and for empty text.

    >>> sessions = pl.DataFrame({"referrer": ["https://a.example/", "direct", "", None]})
    >>> sessions.select(referrer(sessions.schema)).to_series().to_list()
    ['https://a.example/', None, None, None]
    """
    text = text_column("referrer", columns)
    return pl.when(~text.is_in(["direct", ""])).then(text)


def channels(sessions: pl.DataFrame, *, rules: Sequence[ChannelRule], own_domains: Sequence[str]) -> pl.Series:
    """Return the channel (String) of each session; Unattributed where no rule matches.

    In: ``sessions`` have of the fields that rules look at those that the export has. Each field is folded once and each
    rule asked by itself: one expression for all takes twice as long.

    >>> from heap_assets.config.channels import DEFAULT_CHANNELS
    >>> sessions = pl.DataFrame(
    ...     {"referrer": ["https://www.google.com/", "https://shop.example/", None], "utm_medium": ["CPC", None, None]}
    ... )
    >>> channels(sessions, rules=DEFAULT_CHANNELS, own_domains=["shop.example"]).to_list()
    ['Paid Google Search', 'Self-referral', 'Direct']
    """
    fields = sorted({field for rule in rules for field in _fields(rule)})
    folded = sessions.with_columns(_folded(field, sessions.schema).alias(_folded_name(field)) for field in fields)
    asked = folded.with_columns(_holds(rule, own_domains).alias(f"$rule {place}") for place, rule in enumerate(rules))
    found = pl.lit(UNATTRIBUTED)
    for place, rule in reversed(list(enumerate(rules))):
        found = pl.when(f"$rule {place}").then(pl.lit(rule.name)).otherwise(found)
    return asked.with_columns(found.alias("channel"))["channel"]


def _folded_name(field: ChannelField) -> str:
    return f"$folded {field}"


def _fields(rule: Rule) -> Iterator[ChannelField]:
    yield from rule.text_conditions
    if rule.own_domain:
        yield "referrer"
    for one in rule.any_of or ():
        yield from _fields(one)


def _holds(rule: Rule, own_domains: Sequence[str]) -> pl.Expr:
    conditions = [_fits(condition, pl.col(_folded_name(field))) for field, condition in rule.text_conditions.items()]
    if rule.own_domain:
        conditions.append(_is_own(pl.col(_folded_name("referrer")), own_domains))
    if rule.any_of is not None:
        conditions.append(pl.any_horizontal([_holds(one, own_domains) for one in rule.any_of]))
    return pl.all_horizontal(conditions)


def _folded(field: ChannelField, columns: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return a field as rules compare it: in lower case, null where it is empty."""
    text = referrer(columns) if field == "referrer" else text_column(field, columns)
    return pl.when(text != "").then(text.str.to_lowercase())


def _fits(condition: Condition, text: pl.Expr) -> pl.Expr:
    wanted = []
    if condition.equals is not None:
        wanted.append(text == _lower(condition.equals))
    if condition.contains is not None:
        wanted.append(text.str.contains(_lower(condition.contains), literal=True))
    if condition.contains_any is not None:
        parts = [text.str.contains(_lower(part), literal=True) for part in condition.contains_any]
        wanted.append(pl.any_horizontal(parts))
    if condition.is_null is not None:
        wanted.append(text.is_null() if condition.is_null else text.is_not_null())
    return pl.all_horizontal(wanted).fill_null(value=False)


def _lower(text: str) -> pl.Expr:
    return pl.lit(text).str.to_lowercase()


def _is_own(url: pl.Expr, own_domains: Sequence[str]) -> pl.Expr:
    """Return whether the host of a lower-case URL, with or without scheme, user and port, is an own domain or below it.

    One search takes a tenth of the time of cutting out the host to compare it.
    """
    if not own_domains:
        return pl.lit(value=False)
    domains = "|".join(re.escape(domain.lower()) for domain in own_domains)
    return url.str.contains(f"{_UP_TO_HOST}(?:{domains}){_AFTER_HOST}").fill_null(value=False)
