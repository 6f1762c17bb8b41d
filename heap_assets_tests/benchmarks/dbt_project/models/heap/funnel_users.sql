-- depends on {{ ref('active_users') }}, {{ ref('user_migrations') }}
({{ funnel('purchase', ['product_view', 'add_to_cart', 'checkout_start', 'order_completed'], window='7 DAY') }})
UNION ALL
({{ funnel('purchase_in_one_session', ['product_view', 'add_to_cart', 'order_completed'], one_session=true,
           group_by='plan') }})
