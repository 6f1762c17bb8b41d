{{ config(materialized='table') }}
SELECT user_id FROM {{ ref('heap_users') }} WHERE plan = 'gold'
