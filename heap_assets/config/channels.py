"""Marketing channels: the rules that name a session's channel, and Heap's dbt project's own list of them.

Here: rules as data; the first one that matches wins, all conditions of one rule must hold, no match is Unattributed.
Not here: matching sessions (transforms/). Text is compared without case, and empty text counts as null.
"""

from typing import Annotated, Literal, Self

from pydantic import model_validator

from heap_assets.config.values import ConfigurationPart, Flag, NotEmpty, OwnDomain, Text, Words

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


class TextCondition(ConfigurationPart):
    """What one field of a session must be; all that is given must hold."""

    equals: Words | None = None
    contains: Words | None = None
    contains_any: Annotated[tuple[Words, ...], NotEmpty] | None = None
    is_null: Flag | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("allowed: at least one of equals, contains, contains_any, is_null")
        return self


class Rule(ConfigurationPart):
    """Conditions on a session that must all hold.

    Attributes:
        own_domain: The referrer's host is one of ``own_domains``, or ends in ``.`` and one.
        any_of: At least one of these rules holds.
    """

    utm_source: TextCondition | None = None
    utm_medium: TextCondition | None = None
    utm_campaign: TextCondition | None = None
    utm_term: TextCondition | None = None
    utm_content: TextCondition | None = None
    referrer: TextCondition | None = None
    landing_page: TextCondition | None = None
    landing_page_query: TextCondition | None = None
    own_domain: OwnDomain | None = None
    any_of: Annotated[tuple["Rule", ...], NotEmpty] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not self.text_conditions and self.own_domain is None and self.any_of is None:
            raise ValueError("allowed: at least one condition")
        return self

    @property
    def text_conditions(self) -> dict[ChannelField, TextCondition]:
        """Return the conditions on single fields."""
        fields: dict[ChannelField, TextCondition | None] = {
            "utm_source": self.utm_source,
            "utm_medium": self.utm_medium,
            "utm_campaign": self.utm_campaign,
            "utm_term": self.utm_term,
            "utm_content": self.utm_content,
            "referrer": self.referrer,
            "landing_page": self.landing_page,
            "landing_page_query": self.landing_page_query,
        }
        return {field: condition for field, condition in fields.items() if condition is not None}


class ChannelRule(Rule):
    """A rule with the channel that it names; several rules may name one channel."""

    name: Text


def _has(*parts: str) -> TextCondition:
    return TextCondition(contains=parts[0]) if len(parts) == 1 else TextCondition(contains_any=parts)


_NULL = TextCondition(is_null=True)

DEFAULT_CHANNELS = (
    ChannelRule(name="Facebook Paid", utm_medium=_has("cpc"), utm_source=TextCondition(equals="facebook")),
    ChannelRule(name="Paid Bing Search", utm_source=_has("bing"), utm_medium=_has("cpc")),
    ChannelRule(
        name="Paid Google Search",
        any_of=(Rule(utm_medium=_has("cpc")), Rule(landing_page_query=_has("gclid"))),
        referrer=_has("google"),
    ),
    ChannelRule(name="Direct", referrer=_NULL, utm_source=_NULL, utm_medium=_NULL),
    ChannelRule(
        name="Organic Search",
        referrer=_has("google", "bing", "yahoo", "duckduckgo"),
        utm_source=_NULL,
        utm_medium=_NULL,
    ),
    ChannelRule(name="Self-referral", own_domain=True),
)
"""The rules where the configuration has none; CONTRACT section 4, ``heap_sessions``."""
