{# The decoded files of a table; each dump's are in a folder dump_id=<id>. #}
{% macro raw(table) -%}
read_parquet('{{ env_var('HEAP_PEER_RAW') }}/{{ table }}/*/*.parquet', union_by_name = true, hive_partitioning = true)
{%- endmacro %}

{# Heap's documented view of an event table: one hop through user_migrations; and each row once, the newest. #}
{% macro migrated(table, only_active=false) -%}
SELECT coalesce(m.to_user_id, e.user_id) AS user_id, e.* EXCLUDE (user_id, dump_id) REPLACE (e.time::TIMESTAMP AS time),
       e.user_id AS original_user_id
FROM {{ raw(table) }} e LEFT JOIN {{ ref('user_migrations') }} m ON e.user_id = m.from_user_id
{%- if only_active %}
WHERE coalesce(m.to_user_id, e.user_id) IN {{ active_users() }}
{%- endif %}
QUALIFY row_number() OVER (
  PARTITION BY coalesce(m.to_user_id, e.user_id), {{ 'session_id' if table == 'sessions' else 'event_id' }}
  ORDER BY e.dump_id DESC, e.time DESC
) = 1
{%- endmacro %}

{# Heap's documented view of users, with the customer's own properties, which the documented one loses. #}
{% macro migrated_users(only_active=false) -%}
SELECT user_id, min(epoch_ms(joindate)) AS joindate, max(epoch_ms(last_modified)) AS last_modified,
       max(identity) AS identity, max(handle) AS handle, max(email) AS email,
       arg_max(plan, last_modified) AS plan, arg_max(loyalty_points, last_modified) AS loyalty_points,
       arg_max(newsletter, last_modified) AS newsletter
FROM (
  SELECT coalesce(m.to_user_id, u.user_id) AS user_id, u.* EXCLUDE (user_id)
  FROM {{ raw('users') }} u LEFT JOIN {{ ref('user_migrations') }} m ON u.user_id = m.from_user_id
  {%- if only_active %}
  WHERE coalesce(m.to_user_id, u.user_id) IN {{ active_users() }}
  {%- endif %}
  QUALIFY row_number() OVER (PARTITION BY u.user_id ORDER BY u.dump_id DESC, u.last_modified DESC) = 1
)
GROUP BY user_id
{%- endmacro %}

{# What a model reads of a migrated table: all of it, or in a run after the first one the rows of active users. #}
{% macro source_of(table) -%}
{% if not is_incremental() -%}
{{ ref(table) }}
{%- elif table == 'users' -%}
({{ migrated_users(only_active=true) }})
{%- else -%}
({{ migrated(table, only_active=true) }})
{%- endif %}
{%- endmacro %}
