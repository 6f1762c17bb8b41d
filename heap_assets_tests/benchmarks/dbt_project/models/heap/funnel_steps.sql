{{ config(materialized='table') }}
WITH reached AS (
  SELECT *, lag(step_time) OVER w AS previous, first(step_time) OVER w AS start
  FROM {{ ref('funnel_users') }} WINDOW w AS (PARTITION BY funnel, heap_user_id ORDER BY step_number)
), counted AS (
  SELECT funnel, group_value, step_number, step_name, count(*) AS users,
         median(epoch_us(step_time) - epoch_us(previous)) / 1e6 AS median_seconds_from_previous,
         CASE WHEN step_number > 1 THEN median(epoch_us(step_time) - epoch_us(start)) / 1e6 END
           AS median_seconds_from_start
  FROM reached GROUP BY funnel, group_value, step_number, step_name
)
SELECT funnel, group_value, step_number, step_name, users, users / first(users) OVER w AS conversion_from_start,
       coalesce(users / lag(users) OVER w, 1) AS conversion_from_previous, median_seconds_from_previous,
       median_seconds_from_start
FROM counted WINDOW w AS (PARTITION BY funnel, group_value ORDER BY step_number)
