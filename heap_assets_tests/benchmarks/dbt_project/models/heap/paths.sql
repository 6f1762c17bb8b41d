{{ config(materialized='table') }}
WITH begun AS (
  SELECT heap_user_id, heap_session_id
         {%- for step in range(1, 6) %},
         max(CASE WHEN heap_session_event_sequence = {{ step }} THEN heap_event_name END) AS step_{{ step }}
         {%- endfor %}
  FROM {{ ref('heap_events') }} WHERE heap_session_event_sequence <= 5
  GROUP BY heap_user_id, heap_session_id HAVING count(*) = 5
)
SELECT step_1, step_2, step_3, step_4, step_5, count(DISTINCT heap_user_id) AS users, count(*) AS sessions
FROM begun GROUP BY ALL
