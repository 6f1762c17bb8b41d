{{ config(materialized='table') }}
SELECT user_id FROM {{ ref('heap_users') }}
WHERE user_id IN (SELECT heap_user_id FROM {{ ref('heap_events') }} WHERE heap_event_name = 'order_completed')
