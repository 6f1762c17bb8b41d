-- depends on {{ ref('active_users') }}, {{ ref('user_migrations') }}
WITH first_sessions AS (
  SELECT user_id AS first_user_id, time AS initial_session_time, {{ session_referrer() }} AS initial_referrer,
         {% for column in ['landing_page', 'utm_source', 'utm_campaign', 'utm_medium', 'utm_term', 'utm_content',
                           'device_type', 'platform', 'browser', 'country', 'region', 'city'] -%}
         {{ column }} AS initial_{{ column }},
         {% endfor -%}
         {{ gen_defined_channel_attribution() }} AS initial_marketing_channel
  FROM {{ source_of('sessions') }}
  QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY time, session_id) = 1
)
SELECT u.*, f.* EXCLUDE (first_user_id)
FROM {{ source_of('users') }} u LEFT JOIN first_sessions f ON u.user_id = f.first_user_id
