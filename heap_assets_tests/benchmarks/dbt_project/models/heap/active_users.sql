{#- The users of rows that came in dumps after those of the last run, and of merges that the last run did not know;
    each under the recorded id and the present one. -#}
{{ config(materialized='table') }}
{%- set dumps = '(SELECT max(dump_id) FROM ' ~ raw('user_migrations') ~ ')' %}
{%- if load_relation(this) is none %}
SELECT NULL::BIGINT AS user_id, {{ dumps }} AS applied_dump
{%- else %}
{%- set applied = run_query('SELECT max(applied_dump) FROM ' ~ this).columns[0][0] %}
WITH touched AS (
  {%- for table in ['users', 'sessions', 'pageviews'] + var('event_tables') %}
  {% if not loop.first %}UNION ALL {% endif %}SELECT user_id FROM {{ raw(table) }} WHERE dump_id > {{ applied }}
  {%- endfor %}
  UNION ALL SELECT from_user_id FROM (
    SELECT from_user_id, to_user_id FROM {{ ref('user_migrations') }}
    EXCEPT SELECT from_user_id, to_user_id FROM {{ raw('user_migrations') }} WHERE dump_id = {{ applied }}
  )
)
SELECT DISTINCT unnest([t.user_id, coalesce(m.to_user_id, t.user_id)]) AS user_id, {{ dumps }} AS applied_dump
FROM touched t LEFT JOIN {{ ref('user_migrations') }} m ON t.user_id = m.from_user_id
UNION ALL SELECT NULL, {{ dumps }}
{%- endif %}
-- depends on {{ ref('user_migrations') }}
