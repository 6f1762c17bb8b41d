-- depends on {{ ref('active_users') }}, {{ ref('user_migrations') }}
WITH events AS (
  {%- for table in ['pageviews'] + var('event_tables') %}
  {% if not loop.first %}UNION ALL {% endif -%}
  SELECT '{{ table }}' AS event_table_name, event_id, user_id, {{ 'NULL::BIGINT' if table == 'plan_charged' else 'session_id' }} AS session_id, time
  FROM {{ source_of(table) }}
  {%- endfor %}
)
SELECT event_id AS heap_event_id, user_id AS heap_user_id, session_id AS heap_session_id,
       CASE event_table_name WHEN 'pageviews' THEN 'pageview' ELSE event_table_name END AS heap_event_name,
       time AS heap_event_time,
       CASE WHEN session_id IS NOT NULL THEN row_number() OVER (
         PARTITION BY user_id, session_id ORDER BY time, event_id, event_table_name
       ) END AS heap_session_event_sequence,
       {{ check_funnel_position('event_table_name') }} AS heap_event_funnel_position,
       event_table_name IN {{ gen_conversion_events_list() }} AS heap_event_is_conversion
FROM events
