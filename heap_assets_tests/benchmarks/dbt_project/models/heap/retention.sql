{{ config(materialized='table') }}
{% for period in ['week', 'month'] %}
{% if not loop.first %}UNION ALL {% endif %}
SELECT '{{ period }}' AS period, cohort, date_diff('{{ period }}', cohort, active) AS periods_since, count(*) AS users,
       first(cohort_size) AS cohort_size, count(*) / first(cohort_size) AS rate
FROM (
  SELECT *, count(*) FILTER (active = cohort) OVER (PARTITION BY cohort) AS cohort_size FROM (
    SELECT heap_user_id, active, min(active) OVER (PARTITION BY heap_user_id) AS cohort FROM (
      SELECT DISTINCT heap_user_id, date_trunc('{{ period }}', heap_session_start_time)::DATE AS active
      FROM {{ ref('heap_sessions') }} WHERE heap_session_start_time IS NOT NULL
    )
  )
) GROUP BY cohort, active
{% endfor %}
