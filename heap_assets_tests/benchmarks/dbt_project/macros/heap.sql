{# As the macros of these names in Heap's project, the bugs of the channels mended. #}
{% macro check_funnel_position(column) -%}
CASE {{ column }} {% for event in var('funnel_events') %}WHEN '{{ event }}' THEN {{ loop.index }} {% endfor %}ELSE 0 END
{%- endmacro %}

{% macro gen_conversion_events_list() -%}
('{{ var('conversion_events') | join("', '") }}')
{%- endmacro %}

{% macro session_referrer() -%}
CASE WHEN referrer NOT IN ('', 'direct') THEN referrer END
{%- endmacro %}

{% macro gen_defined_channel_attribution() -%}
CASE
  WHEN utm_medium ILIKE '%cpc%' AND lower(utm_source) = 'facebook' THEN 'Facebook Paid'
  WHEN utm_source ILIKE '%bing%' AND utm_medium ILIKE '%cpc%' THEN 'Paid Bing Search'
  WHEN (utm_medium ILIKE '%cpc%' OR landing_page_query ILIKE '%gclid%') AND referrer ILIKE '%google%'
    THEN 'Paid Google Search'
  WHEN {{ session_referrer() }} IS NULL AND utm_source IS NULL AND utm_medium IS NULL THEN 'Direct'
  WHEN regexp_matches(referrer, 'google|bing|yahoo|duckduckgo', 'i') AND utm_source IS NULL AND utm_medium IS NULL
    THEN 'Organic Search'
  WHEN regexp_matches(referrer, '^(https?://)?([^/]*\.)?{{ var('own_domain') }}([:/?#]|$)', 'i') THEN 'Self-referral'
  ELSE 'Unattributed'
END
{%- endmacro %}
