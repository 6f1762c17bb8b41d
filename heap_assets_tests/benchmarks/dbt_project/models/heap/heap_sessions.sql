-- depends on {{ ref('active_users') }}, {{ ref('user_migrations') }}
WITH counted AS (
  SELECT heap_user_id, heap_session_id, count(*) AS events, max(heap_event_time) AS last_time,
         bool_or(heap_event_is_conversion) AS converted
  FROM {{ of_active_users('heap_events') }} WHERE heap_session_id IS NOT NULL
  GROUP BY heap_user_id, heap_session_id
)
SELECT session_id AS heap_session_id, user_id AS heap_user_id,
       row_number() OVER (PARTITION BY user_id ORDER BY time, session_id) AS heap_session_sequence_num,
       time AS heap_session_start_time, greatest(time, last_time) AS heap_session_end_time,
       coalesce(events, 0) AS heap_session_event_count,
       time - INTERVAL 14 DAY AS heap_session_conversion_lookback_14d,
       time + INTERVAL 14 DAY AS heap_session_conversion_lookforward_14d,
       {% for column in ['country', 'region', 'city', 'ip'] %}{{ column }} AS heap_session_{{ column }}, {% endfor %}
       {{ session_referrer() }} AS heap_session_referrer,
       {% for column in ['landing_page', 'landing_page_query', 'landing_page_hash', 'browser', 'utm_source',
                         'utm_campaign', 'utm_medium', 'utm_term', 'utm_content'] -%}
       {{ column }} AS heap_session_{{ column }},
       {% endfor -%}
       {{ gen_defined_channel_attribution() }} AS heap_session_defined_channel_attribution,
       coalesce(converted, false) AS heap_session_is_conversion
FROM {{ source_of('sessions') }} s
LEFT JOIN counted c ON s.user_id = c.heap_user_id AND s.session_id = c.heap_session_id
