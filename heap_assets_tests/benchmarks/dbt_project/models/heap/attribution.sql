-- depends on {{ ref('active_users') }}
WITH touches AS (
  SELECT e.heap_event_id, e.heap_event_name, e.heap_user_id, e.heap_event_time AS conversion_time, s.heap_session_id,
         s.heap_session_start_time AS start, s.heap_session_defined_channel_attribution AS channel,
         row_number() OVER w AS place, count(*) OVER c AS touches,
         max(CASE WHEN channel <> 'Direct' THEN (start, s.heap_session_id) END) OVER c AS last_not_direct,
         0.5 ** (epoch_us(conversion_time) / 604800e6 - epoch_us(start) / 604800e6) AS decay
  FROM {{ of_active_users('heap_events') }} e JOIN {{ of_active_users('heap_sessions') }} s
    ON e.heap_user_id = s.heap_user_id
    AND s.heap_session_start_time BETWEEN e.heap_event_time - INTERVAL 14 DAY AND e.heap_event_time
  WHERE e.heap_event_is_conversion
  WINDOW c AS (PARTITION BY e.heap_event_id, e.heap_event_name, e.heap_user_id),
         w AS (c ORDER BY s.heap_session_start_time, s.heap_session_id)
), weighed AS (
  SELECT *, unnest([
    {'model': 'first_touch', 'weight': (place = 1)::DOUBLE},
    {'model': 'last_touch', 'weight': (place = touches)::DOUBLE},
    {'model': 'last_non_direct_touch', 'weight': CASE WHEN last_not_direct IS NULL THEN place = touches
                                                 ELSE last_not_direct = (start, heap_session_id) END::DOUBLE},
    {'model': 'linear', 'weight': 1 / touches},
    {'model': 'position_based', 'weight': CASE WHEN touches <= 2 THEN 1 / touches
                                          WHEN place IN (1, touches) THEN 0.4 ELSE 0.2 / (touches - 2) END},
    {'model': 'time_decay',
     'weight': decay / sum(decay) OVER (PARTITION BY heap_event_id, heap_event_name, heap_user_id)}
  ]) AS share
  FROM touches
)
SELECT share.model, heap_event_id, heap_event_name, heap_user_id, conversion_time, heap_session_id, channel,
       share.weight
FROM weighed WHERE share.weight > 0
UNION ALL
SELECT unnest(['first_touch', 'last_touch', 'last_non_direct_touch', 'linear', 'position_based', 'time_decay']),
       heap_event_id, heap_event_name, heap_user_id, heap_event_time, NULL, 'Unattributed', 1
FROM {{ of_active_users('heap_events') }} ANTI JOIN touches USING (heap_event_id, heap_event_name, heap_user_id)
WHERE heap_event_is_conversion AND heap_event_time IS NOT NULL
