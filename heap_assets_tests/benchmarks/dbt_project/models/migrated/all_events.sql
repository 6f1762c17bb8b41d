{{ config(materialized='view') }}
{%- for table in ['sessions', 'pageviews'] + var('event_tables') %}
{% if not loop.first %}UNION ALL BY NAME {% endif %}SELECT '{{ table }}' AS event_table_name, * FROM {{ ref(table) }}
{%- endfor %}
