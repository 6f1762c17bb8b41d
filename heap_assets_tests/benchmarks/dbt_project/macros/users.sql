{# Which users were active since the last run, as the macro get_active_users of Heap's project finds them; by dump, for
   clients' clocks run ahead and the greatest time of a table would hide everybody. #}
{% macro active_users() -%}
(SELECT user_id FROM {{ ref('active_users') }})
{%- endmacro %}

{# Before rows are inserted: the rows of active users, also under the ids that they have no more. #}
{% macro forget_active_users() -%}
{% if is_incremental() -%}
DELETE FROM {{ this }}
WHERE {{ 'user_id' if this.identifier == 'heap_users' else 'heap_user_id' }} IN {{ active_users() }}
{%- endif %}
{%- endmacro %}

{# A model of this project, in a run after the first one of the active users alone. #}
{% macro of_active_users(model) -%}
{% if is_incremental() -%}
(SELECT * FROM {{ ref(model) }} WHERE heap_user_id IN {{ active_users() }})
{%- else -%}
{{ ref(model) }}
{%- endif %}
{%- endmacro %}

{% macro generate_schema_name(custom_schema_name, node) -%}
{{ custom_schema_name or target.schema }}
{%- endmacro %}
