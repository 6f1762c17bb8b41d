"""The analytics configuration: defaults, every key, and errors that name what is wrong.

Here: YAML in, typed values or a ConfigurationError out. Not here: what is computed with them.
"""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from heap_assets.config.channels import DEFAULT_CHANNELS, ChannelRule, Rule, TextCondition
from heap_assets.config.durations import duration_text, parse_duration
from heap_assets.config.load import configuration_from_text, load_configuration
from heap_assets.config.model import Configuration, Step
from heap_assets.errors import ConfigurationError

CONTRACT_EXAMPLE = """
project: main
environment: production
all_events_columns: all
own_domains: [example.com]
session_gap: 30m
funnel_events: [product_view, add_to_cart, checkout_start, order_completed]
conversion_events: [order_completed]
funnels:
  - name: purchase
    steps: [product_view, {event: add_to_cart, where: {currency: EUR}}, order_completed]
    window: 7d
    scope: user
    group_by: plan
segments:
  - {name: gold, where: {plan: gold}}
  - {name: buyers, did: order_completed}
channels:
  - {name: Newsletter, utm_medium: {contains: email}}
attribution: {lookback: 14d, half_life: 7d}
freshness:
  default: {warn: 26h, fail: 50h}
  tables: {pageviews: {warn: 6h, fail: 12h}}
"""


def configured(text):
    return configuration_from_text(text, name="heap.yaml")


def problems_of(text):
    with pytest.raises(ConfigurationError) as raised:
        configured(text)
    return str(raised.value).split("\n")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "null"])
def test_without_any_key_the_contracts_defaults_hold(text):
    found = configured(text)
    assert found == Configuration()
    assert (found.schema_name, found.migrated_schema_name) == ("main_production", "main_production_migrated")
    assert (found.all_events_columns, found.session_gap) == ("all", timedelta(minutes=30))
    lists = (found.own_domains, found.funnel_events, found.conversion_events, found.funnels, found.segments)
    assert (*lists, found.channels) == ((),) * 6
    assert (found.attribution.lookback, found.attribution.half_life) == (timedelta(days=14), timedelta(days=7))
    limits = found.freshness.limits_of("anything")
    assert (limits.warn, limits.fail) == (timedelta(hours=26), timedelta(hours=50))


def test_the_contracts_example_is_read_in_full():
    found = configured(CONTRACT_EXAMPLE)
    (purchase,) = found.funnels
    assert purchase.steps == (
        Step(event="product_view"),
        Step(event="add_to_cart", where={"currency": "EUR"}),
        Step(event="order_completed"),
    )
    assert (purchase.window, purchase.scope, purchase.group_by) == (timedelta(days=7), "user", "plan")
    gold, buyers = found.segments
    assert (gold.where, gold.did, gold.did_not) == ({"plan": "gold"}, None, None)
    assert (buyers.name, buyers.did) == ("buyers", "order_completed")
    assert found.channel_rules == (ChannelRule(name="Newsletter", utm_medium=TextCondition(contains="email")),)
    assert found.freshness.limits_of("pageviews").fail == timedelta(hours=12)
    assert found.freshness.limits_of("users").fail == timedelta(hours=50)


def test_the_packaged_file_fits_the_sample_shop():
    found = load_configuration(None)
    assert found.schema_name == "main_production"
    assert found.funnel_events == ("product_view", "add_to_cart", "checkout_start", "order_completed")
    assert found.conversion_events == ("order_completed",)
    assert found.own_domains == ("shop.example.com",)
    assert len(found.funnels) == 2
    assert [segment.name for segment in found.segments] == ["gold", "buyers"]
    assert found.channel_rules == DEFAULT_CHANNELS
    assert found.freshness == Configuration().freshness


def test_a_configuration_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        configured("").session_gap = timedelta(1)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("36500d", timedelta(days=36_500)),
    ],
)
def test_durations_are_a_number_and_a_unit(text, duration):
    assert configured(f"session_gap: {text}").session_gap == duration


@pytest.mark.parametrize("text", ["30", "30 m", "1.5h", "-5m", "m", "1w", "1d12h", "30M", "''", "٣m", "[30m]", "true"])
def test_other_durations_are_refused(text):
    (problem,) = problems_of(f"session_gap: {text}")
    assert problem.endswith("allowed: a whole number and a unit, as in 45s, 30m, 12h, 7d")


@pytest.mark.parametrize("key", ["session_gap: {}", "attribution: {{lookback: {}}}", "attribution: {{half_life: {}}}"])
@pytest.mark.parametrize("text", ["0s", "0d", "36501d", "999999999999d"])
def test_durations_are_neither_zero_nor_endless(key, text):
    (problem,) = problems_of(key.format(text))
    assert problem.endswith(f'"{text}"; allowed: 1s to 36500d')


@settings(deadline=None)
@given(st.integers(1, 10**9))
def test_a_duration_reads_back_from_its_text(seconds):
    duration = timedelta(seconds=seconds)
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize(
    "written",
    [*"5 5.0 1.10 007 1e16 1e3 0x10 -.5 +1 true True yes no 2024-01-01 12:30 1_000 1e999".split(), "9" * 5000],  # noqa: SIM905
)
def test_wanted_values_keep_their_spelling(written):
    (segment,) = configured(f"segments: [{{name: s, where: {{404: {written}, q: '{written}'}}}}]").segments
    assert segment.where == {"404": written, "q": written}
    (rule,) = configured(
        f"channels: [{{name: c, referrer: {{equals: {written}, contains_any: [{written}]}}}}]"
    ).channels
    assert rule.text_conditions["referrer"] == TextCondition(equals=written, contains_any=(written,))


def test_how_many_touches_count_is_a_number():
    assert configured("attribution: {max_touches: 2}").attribution.max_touches == 2
    for wrong in ("1", "-5", "2.0", "'7'", "true", "many", "[2]", "9" * 5000):
        (problem,) = problems_of(f"attribution: {{max_touches: {wrong}}}")
        assert problem.endswith("allowed: a whole number from 2 to 1000000000")


def levels(begin, each, depth):
    return "\n".join([begin, *(f"k{n}: &a{n} {each.format(n - 1)}" for n in range(1, depth))])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (levels("k0: &a0 [x, x, x]", "[*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]", 12), "aliases"),
        (levels("k0: &a0 {x: 1}", "{{x: *a{0}, y: *a{0}, z: *a{0}}}", 25), "aliases"),
        ("a: &a " + "x" * 100_000 + "\nb: [" + "*a," * 1000 + "]", "aliases"),
        ("a: &a {b: *a}", "nested too deeply"),
        ("a: &a [*a, *a]", "nested too deeply"),
        ("- " * 5000 + "x", "nested too deeply"),
        ("{a: " * 5000, "nested too deeply"),
        ("[" * 100_000, "nested too deeply"),
        ("#" * (1 << 17) + "x", "more letters than any configuration"),
    ],
    ids=range(9),
)
def test_a_file_that_grows_when_it_is_read_is_an_error(text, problem):
    assert problem in problems_of(text)[0]
    assert len(problems_of(text)) == 1


def test_a_file_with_endless_mistakes_is_told_in_part():
    found = problems_of("\n".join(f"k{n}: 1" for n in range(5000)))
    assert len(found) == 101
    assert found[-1] == "heap.yaml: 4,900 more problems"


def test_a_funnel_needs_only_a_name_and_a_step():
    (funnel,) = configured("funnels: [{name: f, steps: [Sign Up - Click Link (Any)]}]").funnels
    assert (funnel.window, funnel.scope, funnel.group_by) == (None, "user", None)
    assert funnel.steps == (Step(event="Sign Up - Click Link (Any)"),)


def test_conditions_of_a_segment_can_be_combined():
    (segment,) = configured("segments: [{name: s, where: {plan: gold}, did: a, did_not: b}]").segments
    assert (segment.where, segment.did, segment.did_not) == ({"plan": "gold"}, "a", "b")


def test_own_domains_are_kept_in_lower_case():
    assert configured("own_domains: [Shop.Example.COM, localhost]").own_domains == ("shop.example.com", "localhost")


def test_limits_that_a_table_leaves_out_are_the_defaults():
    found = configured("freshness: {default: {fail: 3d}, tables: {pageviews: {warn: 1m}, users: {fail: 2d}}}").freshness
    assert (found.limits_of("pageviews").warn, found.limits_of("pageviews").fail) == (
        timedelta(minutes=1),
        timedelta(days=3),
    )
    assert (found.limits_of("users").warn, found.limits_of("users").fail) == (timedelta(hours=26), timedelta(days=2))


def test_channel_rules_nest_and_may_share_a_name():
    text = """
channels:
  - {name: Mail, utm_medium: {equals: email, is_null: false}, own_domain: true}
  - name: Mail
    any_of:
      - {utm_source: {contains_any: [news, letter]}}
      - any_of: [{referrer: {is_null: true}}, {landing_page_query: {contains: mail}}]
"""
    first, second = configured(text).channels
    assert first.text_conditions == {"utm_medium": TextCondition(equals="email", is_null=False)}
    assert first.own_domain is True
    nested = Rule(
        any_of=(
            Rule(referrer=TextCondition(is_null=True)),
            Rule(landing_page_query=TextCondition(contains="mail")),
        )
    )
    assert second.any_of == (Rule(utm_source=TextCondition(contains_any=("news", "letter"))), nested)


def test_the_default_channels_are_the_contracts_in_its_order():
    as_configured = configured(
        """
channels:
  - {name: Facebook Paid, utm_medium: {contains: cpc}, utm_source: {equals: facebook}}
  - {name: Paid Bing Search, utm_source: {contains: bing}, utm_medium: {contains: cpc}}
  - name: Paid Google Search
    any_of: [{utm_medium: {contains: cpc}}, {landing_page_query: {contains: gclid}}]
    referrer: {contains: google}
  - {name: Direct, referrer: {is_null: true}, utm_source: {is_null: true}, utm_medium: {is_null: true}}
  - name: Organic Search
    referrer: {contains_any: [google, bing, yahoo, duckduckgo]}
    utm_source: {is_null: true}
    utm_medium: {is_null: true}
  - {name: Self-referral, own_domain: true}
"""
    )
    assert as_configured.channels == DEFAULT_CHANNELS == configured("channels: []").channel_rules


TEXT = "text; in quotes, if it looks like something else"
DURATION = "a whole number and a unit, as in 45s, 30m, 12h, 7d"
HOST = "a host without scheme, port and path, as in shop.example.com"
WORD = "letters a to z, digits and underscores"
CONDITIONS = "equals, contains, contains_any, is_null"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("project: 5", f"project: 5; allowed: {TEXT}"),
        ("project: main-2", 'project: "main-2"; allowed: letters a to z, digits, underscores; no digit first'),
        ("project: 2main", 'project: "2main"; allowed: letters a to z, digits, underscores; no digit first'),
        ("environment: ''", f'environment: ""; allowed: {WORD}'),
        ("all_events_columns: some", "all_events_columns: \"some\"; allowed: 'all', 'builtin' or 'basic'"),
        ("own_domains: example.com", 'own_domains: "example.com"; allowed: a list'),
        ("own_domains: [https://example.com]", f'own_domains[0]: "https://example.com"; allowed: {HOST}'),
        ("own_domains: [a, b:80]", f'own_domains[1]: "b:80"; allowed: {HOST}'),
        ("own_domains: [.com]", f'own_domains[0]: ".com"; allowed: {HOST}'),
        ("funnel_events: [a, 404]", f"funnel_events[1]: 404; allowed: {TEXT}"),
        ("funnel_events: [a, b, a]", 'funnel_events[2]: "a"; allowed: each event once'),
        ("conversion_events: [' ']", 'conversion_events[0]: " "; allowed: text that is not blank'),
        ("conversion_events:", "conversion_events: null; allowed: a list"),
        ("funnels: [f]", 'funnels[0]: "f"; allowed: a mapping with the keys name, steps, window, scope, group_by'),
        ("funnels: [{steps: [a]}]", 'funnels[0].name: {"steps": ["a"]}; this key is missing'),
        ("funnels: [{name: f}]", 'funnels[0].steps: {"name": "f"}; this key is missing'),
        ("funnels: [{name: f, steps: []}]", "funnels[0].steps: []; allowed: at least one item"),
        ("funnels: [{name: f, steps: [5]}]", "funnels[0].steps[0]: 5; allowed: a mapping with the keys where, event"),
        ("funnels: [{name: f, steps: [a], scope: team}]", "funnels[0].scope: \"team\"; allowed: 'user' or 'session'"),
        ("funnels: [{name: f, steps: [a], window: 7}]", f"funnels[0].window: 7; allowed: {DURATION}"),
        (
            "funnels: [{name: f, steps: [{event: a, where: {b: [1]}}]}]",
            "funnels[0].steps[0].where.b: [1]; allowed: text, a number, true or false",
        ),
        (
            "funnels: [{name: f, steps: [{event: a, wher: {}}]}]",
            "funnels[0].steps[0].wher: {}; unknown key; allowed: where, event",
        ),
        ("segments: [{name: a b, did: c}]", f'segments[0].name: "a b"; allowed: {WORD}'),
        ("segments: [{name: s}]", 'segments[0]: {"name": "s"}; allowed: at least one of where, did, did_not'),
        ("segments: [{name: s, did: [a]}]", f'segments[0].did: ["a"]; allowed: {TEXT}'),
        (
            "segments: [{name: s, where: {a: null}}]",
            "segments[0].where.a: null; allowed: text, a number, true or false",
        ),
        ("segments: [{name: s, where: [a]}]", 'segments[0].where: ["a"]; allowed: a mapping of keys to values'),
        ("channels: [{name: c}]", 'channels[0]: {"name": "c"}; allowed: at least one condition'),
        ("channels: [{own_domain: true}]", 'channels[0].name: {"own_domain": true}; this key is missing'),
        ("channels: [{name: c, own_domain: false}]", "channels[0].own_domain: false; allowed: true"),
        ("channels: [{name: c, any_of: []}]", "channels[0].any_of: []; allowed: at least one item"),
        ("channels: [{name: c, any_of: [{}]}]", "channels[0].any_of[0]: {}; allowed: at least one condition"),
        (
            "channels: [{name: c, referrer: google}]",
            f'channels[0].referrer: "google"; allowed: a mapping with the keys {CONDITIONS}',
        ),
        (
            "channels: [{name: c, any_of: [{referrer: {like: a}}]}]",
            f'channels[0].any_of[0].referrer.like: "a"; unknown key; allowed: {CONDITIONS}',
        ),
        ("channels: [{name: c, referrer: {}}]", f"channels[0].referrer: {{}}; allowed: at least one of {CONDITIONS}"),
        (
            "channels: [{name: c, referrer: {contains: ''}}]",
            'channels[0].referrer.contains: ""; allowed: text that is not blank',
        ),
        (
            "channels: [{name: c, referrer: {is_null: 'true'}}]",
            'channels[0].referrer.is_null: "true"; allowed: true or false',
        ),
        ("freshness: {default: {warn: 59s}}", 'freshness.default.warn: "59s"; allowed: 1m to 36500d'),
        (
            "freshness: {default: {warn: 50h}}",
            'freshness.default: {"warn": "50h"}; warn is 50h and fail is 50h; allowed: warn less than fail',
        ),
        (
            "freshness: {tables: {users: {fail: 90s}}}",
            'freshness.tables.users: {"fail": "90s"}; warn is 26h and fail is 90s; allowed: warn less than fail',
        ),
        ("freshness: {tables: {users: 5}}", "freshness.tables.users: 5; allowed: a mapping with the keys warn, fail"),
        (
            "freshness: {tables: {users: {wrn: 5h}}}",
            'freshness.tables.users.wrn: "5h"; unknown key; allowed: warn, fail',
        ),
    ],
)
def test_an_error_names_the_key_the_value_and_what_is_allowed(text, problem):
    assert problems_of(text) == [f"heap.yaml, line 1: {problem}"]


def test_an_unknown_key_is_an_error_that_lists_the_known_ones():
    (problem,) = problems_of("\nfunels: [a]")
    assert problem.startswith(
        'heap.yaml, line 2: funels: ["a"]; unknown key; allowed: project, environment, all_events'
    )


def test_names_of_funnels_and_segments_are_unique():
    funnels = "funnels:\n- {name: a, steps: [x]}\n- {name: A, steps: [x]}\n- {name: a, steps: [x]}"
    assert problems_of(funnels) == ['heap.yaml, line 4: funnels[2].name: "a"; allowed: a name that no other funnel has']
    segments = "segments: [{name: a, did: x}, {name: A, did: x}]"
    assert problems_of(segments) == [
        'heap.yaml, line 1: segments[1].name: "A"; allowed: a name that no other segment has, in any case'
    ]


@pytest.mark.parametrize("names", [("heap", "analytics"), ("Heap", "ANALYTICS"), ("information", "schema")])
def test_a_schema_of_others_cannot_be_taken(names):
    (problem,) = problems_of("project: {}\nenvironment: {}".format(*names))
    assert "the schema would be {}_{}".format(*names) in problem


def test_all_errors_of_a_file_are_reported_together_in_the_order_of_lines():
    text = """\
session_gap: soon
project: a
funnels:
  - name: f
    steps:
      - a
      - {event: b,
         wher: {}}
    scope: team
project: b
colour: red
"""
    found = problems_of(text)
    assert [problem.split(";")[0] for problem in found] == [
        'heap.yaml, line 1: session_gap: "soon"',
        "heap.yaml, line 8: funnels[0].steps[1].wher: {}",
        'heap.yaml, line 9: funnels[0].scope: "team"',
        "heap.yaml, line 10: project: the key stands twice, first on line 2",
        'heap.yaml, line 11: colour: "red"',
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: [1", "line 2: broken YAML: expected ',' or ']'"),
        ("a: 1\n\tb: 2", "line 2: broken YAML: "),
        ("a: b: c", "line 1: broken YAML: mapping values are not allowed here"),
        ("a: 1\nb: \x07", "line 2: broken YAML: special characters are not allowed"),
        ("---\na: 1\n---\nb: 2", "line 3: broken YAML: but found another document"),
        ("a: *b", "line 1: broken YAML: found undefined alias 'b'"),
        ("a: &b [*b]", "line 1: broken YAML: it is nested too deeply"),
        ("[" * 3000, "line 1: broken YAML: "),
        ("project: !!python/name:os.system x", 'line 1: broken YAML: "x" is no python/name:os.system'),
        ("project: !!int x", 'line 1: broken YAML: "x" is no int'),
        ("? [a]\n: b", "line 1: the file: a key is not text"),
        ("- a", 'line 1: the file: ["a"]; allowed: a mapping with the keys project'),
        ("just words", 'line 1: the file: "just words"; allowed: a mapping with the keys project'),
    ],
)
def test_broken_yaml_is_an_error_with_its_line(text, problem):
    assert problems_of(text)[0].startswith(f"heap.yaml, {problem}")


def test_odd_keys_leave_each_error_on_one_line():
    found = problems_of('"a\\nb": 1\n"[key]": 2\nfunnels: [{name: f, steps: [a], "[key]": 3}]\n"": 4')
    assert [problem.split(";")[0] for problem in found] == [
        'heap.yaml, line 1: "a\\nb": 1',
        "heap.yaml, line 2: [key]: 2",
        "heap.yaml, line 3: funnels[0].[key]: 3",
        'heap.yaml, line 4: "": 4',
    ]
    (problem,) = problems_of("segments: [{name: s, where: {' ': a}}]")
    assert problem.startswith("heap.yaml, line 1: segments[0].where. : ")


def test_a_long_value_is_cut_in_errors():
    (problem,) = problems_of(f"session_gap: {'x' * 500}")
    assert len(problem) < 200


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path):
    path = tmp_path / "größe.yaml"
    path.write_text("project: shop", encoding="utf-8-sig")
    assert load_configuration(path).schema_name == "shop_production"
    path.write_text("project: 5")
    with pytest.raises(ConfigurationError, match=r"größe\.yaml, line 1: project: 5"):
        load_configuration(path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="it cannot be read: No such file"):
        load_configuration(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match="it cannot be read: Is a directory"):
        load_configuration(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("project: größe".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="it is not UTF-8 text"):
        load_configuration(latin)


ANYTHING = st.recursive(
    st.sampled_from(["a", "5", "1.5", "true", "null", "7d", "''", "no", "&a b", "*a", "!!int 5", "- ", "\t"]),
    lambda parts: (
        st.lists(parts, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(
            st.tuples(st.sampled_from(["name", "steps", "where", "default", "tables", "warn", "any_of", "x"]), parts),
            max_size=3,
        ).map(lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}")
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*Configuration.model_fields, "x"]), ANYTHING), max_size=5), st.text(max_size=5)
)
def test_any_text_is_a_configuration_or_an_error_with_a_line_for_each_problem(pairs, more):
    text = "".join(f"{key}: {value}\n" for key, value in pairs) + more
    problems = ""
    try:
        configured(text)
    except ConfigurationError as error:
        problems = str(error)
    assert all(line.startswith("heap.yaml, line ") for line in filter(None, problems.split("\n")))
