{{ config(materialized='table') }}
SELECT from_user_id, arg_max(to_user_id, (coalesce(time, 0), to_user_id)) AS to_user_id
FROM {{ raw('user_migrations') }}
WHERE dump_id = (SELECT max(dump_id) FROM {{ raw('user_migrations') }}) AND from_user_id <> to_user_id
GROUP BY from_user_id
