"""Channels: the first rule that matches names the channel of a session, without regard to case.

Here: sessions in, one text each. Not here: what a rule may say (config/), which sessions there are (test_sessions.py).
"""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heap_assets.config.channels import DEFAULT_CHANNELS, ChannelRule, Rule, TextCondition
from heap_assets.transforms.analytics.channels import channels, referrer
from heap_assets_tests.oracles import analytics_channels as oracle

FIELDS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "referrer",
    "landing_page",
    "landing_page_query",
)
OWN = ("shop.example",)


def channels_of(sessions: list[dict], rules=DEFAULT_CHANNELS, own_domains=OWN) -> list[str]:
    frame = pl.DataFrame(sessions, schema=dict.fromkeys(FIELDS, pl.String))
    found = channels(frame, rules=rules, own_domains=own_domains)
    assert found.dtype == pl.String
    return found.to_list()


def channel_of(rules=DEFAULT_CHANNELS, own_domains=OWN, **session: str | None) -> str:
    return channels_of([session], rules, own_domains)[0]


def test_the_default_rules_name_each_channel():
    google, bing = "https://www.google.com/", "https://www.bing.com/"
    assert channel_of(utm_medium="cpc", utm_source="facebook") == "Facebook Paid"
    assert channel_of(utm_medium="cpc", utm_source="bing", referrer=bing) == "Paid Bing Search"
    assert channel_of(utm_medium="cpc", referrer=google) == "Paid Google Search"
    assert channel_of(landing_page_query="?gclid=1", referrer=google) == "Paid Google Search"
    assert channel_of() == "Direct"
    assert channel_of(referrer="https://duckduckgo.com") == "Organic Search"
    assert channel_of(referrer="https://news.example/") == "Unattributed"
    assert channel_of(referrer="https://www.shop.example/cart") == "Self-referral"


def test_tagged_traffic_without_a_referrer_is_not_direct():
    assert channel_of(utm_medium="email") == "Unattributed"
    assert channel_of(utm_source="newsletter") == "Unattributed"


def test_a_literal_direct_and_empty_texts_count_as_null():
    assert channel_of(referrer="direct", utm_source="", utm_medium="") == "Direct"
    assert channel_of(referrer="") == "Direct"
    assert channel_of(referrer="https://yahoo.com", utm_source="") == "Organic Search"


def test_case_means_nothing_on_either_side():
    assert channel_of(utm_medium="Paid-CPC", utm_source="FaceBook") == "Facebook Paid"
    loud = ChannelRule(name="Mail", utm_medium=TextCondition(equals="E-MAIL"))
    assert channel_of([loud], utm_medium="e-Mail") == "Mail"


def test_facebook_must_be_the_whole_source_and_bing_only_a_part():
    assert channel_of(utm_medium="cpc", utm_source="facebook.com") == "Unattributed"
    assert channel_of(utm_medium="cpc", utm_source="ads.bing") == "Paid Bing Search"


def test_an_earlier_rule_wins():
    rules = [ChannelRule(name=name, utm_source=TextCondition(contains="a")) for name in ("first", "second")]
    assert channel_of(rules, utm_source="a") == "first"


def test_all_that_a_condition_says_must_hold():
    rule = ChannelRule(name="x", utm_source=TextCondition(contains="a", contains_any=("b", "c"), is_null=False))
    assert channels_of([{"utm_source": text} for text in ("ab", "a", "bc", None)], [rule]) == [
        "x",
        "Unattributed",
        "Unattributed",
        "Unattributed",
    ]


def test_one_of_several_rules_may_hold_beside_conditions_that_must():
    either = (Rule(utm_source=TextCondition(equals="a")), Rule(utm_medium=TextCondition(equals="b")))
    rule = ChannelRule(name="x", any_of=either, utm_term=TextCondition(equals="t"))
    assert channel_of([rule], utm_medium="b", utm_term="t") == "x"
    assert channel_of([rule], utm_medium="b") == "Unattributed"
    assert channel_of([rule], utm_term="t") == "Unattributed"


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "HTTPS://SHOP.EXAMPLE/cart",
        "http://a.b.shop.example:8080/?x=1",
        "//shop.example/",
        "shop.example/cart",
        "shop.example:80/cart",
        "shop.example",
        "https://me:secret@shop.example/",
        "https://shop.example.",
        "https://shop.example.:443#top",
        "android-app://shop.example/http",
        "https://shop.example?from=https://other.example",
    ],
)
def test_an_own_domain_is_the_host_or_what_lies_below_it(url):
    assert channel_of(referrer=url) == "Self-referral"


@pytest.mark.parametrize(
    "url",
    [
        "https://myshop.example/",
        "https://shop.example.com/",
        "https://other.example/shop.example",
        "https://other.example/?u=https://shop.example",
        "https://shop.example@other.example/",
        "https://shop.example:80@other.example/",
        "https://shopXexample/",
        "https://example/",
    ],
)
def test_a_host_that_only_looks_like_it_is_not_own(url):
    assert channel_of(referrer=url) == "Unattributed"


def test_without_own_domains_nothing_is_a_self_referral():
    assert channel_of(own_domains=(), referrer="https://shop.example/") == "Unattributed"


def test_sessions_that_lack_the_columns_or_have_numbers_in_them_have_a_channel_too():
    bare = pl.DataFrame({"session_id": [1, 2], "utm_campaign": [2024, 7]})
    rules = [ChannelRule(name="2024", utm_campaign=TextCondition(equals="2024")), *DEFAULT_CHANNELS]
    assert channels(bare, rules=rules, own_domains=OWN).to_list() == ["2024", "Direct"]
    assert bare.with_columns(referrer(bare.schema).alias("found"))["found"].to_list() == [None, None]


_texts = st.sampled_from(
    [None, "", "direct", "cpc", "CPC", "facebook", "Bing", "google", "https://www.google.de/", "https://shop.example/a"]
)
_sessions = st.lists(st.fixed_dictionaries(dict.fromkeys(FIELDS, _texts)), min_size=2, max_size=6)
_words = st.sampled_from(["cpc", "Google", "bing", "facebook", "shop"])
_conditions = st.builds(
    TextCondition,
    equals=st.none() | _words,
    contains=st.none() | _words,
    contains_any=st.none() | st.lists(_words, min_size=1, max_size=2).map(tuple),
    is_null=st.booleans(),
)
_simple = st.builds(
    Rule, utm_source=_conditions, referrer=st.none() | _conditions, own_domain=st.sampled_from([None, True])
)
_rules = st.lists(
    st.builds(
        ChannelRule,
        name=st.sampled_from(["A", "B", "C"]),
        utm_medium=_conditions,
        landing_page_query=st.none() | _conditions,
        any_of=st.none() | st.lists(_simple, min_size=1, max_size=2).map(tuple),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(sessions=_sessions, rules=_rules | st.just(list(DEFAULT_CHANNELS)))
def test_any_rules_name_the_channels_that_the_plain_reading_does(sessions, rules):
    assert channels_of(sessions, rules) == [oracle.channel(session, rules, OWN) for session in sessions]
