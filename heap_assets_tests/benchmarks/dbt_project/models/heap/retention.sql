{{ config(materialized='table') }}
{% for period in ['week', 'month'] %}
{% if not loop.first %}UNION ALL {% endif %}(
WITH active AS (
  SELECT DISTINCT heap_user_id, date_trunc('{{ period }}', heap_session_start_time)::DATE AS active
  FROM {{ ref('heap_sessions') }} WHERE heap_session_start_time IS NOT NULL
), first_seen AS (
  SELECT heap_user_id, min(active) AS cohort FROM active GROUP BY heap_user_id
), sizes AS (
  SELECT cohort, count(*) AS cohort_size FROM first_seen GROUP BY cohort
)
SELECT '{{ period }}' AS period, cohort, date_diff('{{ period }}', cohort, active) AS periods_since, count(*) AS users,
       cohort_size, count(*) / cohort_size AS rate
FROM active JOIN first_seen USING (heap_user_id) JOIN sizes USING (cohort) GROUP BY cohort, active, cohort_size
)
{% endfor %}
