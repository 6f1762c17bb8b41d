{# How far each user got: of all attempts the one that gets furthest, the earliest of equals. Each step is the first one
   strictly later than the step before; all within the window, or within one session. #}
{% macro funnel(name, steps, window=none, one_session=false, group_by=none) -%}
WITH done AS (
  SELECT heap_user_id, heap_session_id, heap_event_id, heap_event_name, heap_event_time AS time
  FROM {{ of_active_users('heap_events') }}
  WHERE heap_event_name IN ('{{ steps | join("', '") }}') AND heap_event_time IS NOT NULL
  {%- if one_session %} AND heap_session_id IS NOT NULL{% endif %}
), attempts_1 AS (
  SELECT heap_user_id, heap_session_id, heap_event_id, time AS time_1 FROM done WHERE heap_event_name = '{{ steps[0] }}'
)
{%- for step in steps[1:] %}, attempts_{{ loop.index + 1 }} AS (
  SELECT a.*, {% if window %}CASE WHEN d.time <= a.time_1 + INTERVAL {{ window }} THEN d.time END
         {%- else %}d.time{% endif %} AS time_{{ loop.index + 1 }}
  FROM attempts_{{ loop.index }} a
  ASOF LEFT JOIN (SELECT heap_user_id, heap_session_id, time FROM done WHERE heap_event_name = '{{ step }}') d
    ON a.heap_user_id = d.heap_user_id {% if one_session %}AND a.heap_session_id = d.heap_session_id {% endif -%}
    AND a.time_{{ loop.index }} < d.time
)
{%- endfor %}, best AS (
  SELECT *, 1{% for step in steps[1:] %} + (time_{{ loop.index + 1 }} IS NOT NULL)::BIGINT{% endfor %} AS steps_completed
  FROM attempts_{{ steps | length }}
  QUALIFY row_number() OVER (
    PARTITION BY heap_user_id ORDER BY steps_completed DESC, time_1, heap_session_id, heap_event_id
  ) = 1
)
{% for step in steps -%}
{% if not loop.first %}UNION ALL {% endif -%}
SELECT '{{ name }}' AS funnel, heap_user_id,
       {% if group_by %}coalesce({{ group_by }}, '(none)'){% else %}NULL{% endif %}::VARCHAR AS group_value,
       steps_completed, {{ loop.index }}::BIGINT AS step_number, '{{ step }}' AS step_name,
       time_{{ loop.index }} AS step_time
FROM best {% if group_by %}LEFT JOIN (SELECT user_id, {{ group_by }} FROM {{ source_of('users') }}) u
  ON best.heap_user_id = u.user_id {% endif %}WHERE time_{{ loop.index }} IS NOT NULL
{% endfor %}
{%- endmacro %}
