{{ config(materialized='table') }}
SELECT model, conversion_time::DATE AS day, channel, sum(weight) AS conversions
FROM {{ ref('attribution') }} GROUP BY ALL
