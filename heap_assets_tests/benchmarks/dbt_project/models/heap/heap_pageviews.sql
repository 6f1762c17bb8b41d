-- depends on {{ ref('active_users') }}, {{ ref('user_migrations') }}
WITH marked AS (
  SELECT event_id, user_id, session_id, time, domain, path, query, hash, title, heap_previous_page,
         coalesce(time - lag(time) OVER w > INTERVAL 30 MINUTE, false) AS begins
  FROM {{ source_of('pageviews') }}
  WINDOW w AS (PARTITION BY user_id ORDER BY time, event_id)
), numbered AS (
  SELECT *, sum(begins::INT) OVER (PARTITION BY user_id ORDER BY time, event_id ROWS UNBOUNDED PRECEDING)::BIGINT AS i
  FROM marked
)
SELECT event_id AS heap_pageview_id, user_id AS heap_user_id, session_id AS heap_session_id, time AS heap_pageview_time,
       domain AS heap_pageview_domain, path AS heap_pageview_path, query AS heap_pageview_query,
       hash AS heap_pageview_hash, title AS heap_pageview_title, heap_previous_page AS heap_pageview_previous_page,
       user_id || '-' || i AS heap_pageview_session_id, i AS heap_pageview_session_index,
       row_number() OVER s AS heap_pageview_session_sequence_number,
       first(time) OVER a AS heap_pageview_session_start_time, last(time) OVER a AS heap_pageview_session_end_time,
       first(event_id) OVER a AS heap_pageview_session_first_pageview_id,
       last(event_id) OVER a AS heap_pageview_session_last_pageview_id,
       epoch_us(first(time) OVER a) // 1000000 AS heap_pageview_session_start_epoch,
       epoch_us(last(time) OVER a) // 1000000 AS heap_pageview_session_end_epoch
FROM numbered
WINDOW s AS (PARTITION BY user_id, i ORDER BY time, event_id),
       a AS (s ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
