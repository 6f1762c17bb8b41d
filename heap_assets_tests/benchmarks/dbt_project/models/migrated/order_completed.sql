{{ migrated('order_completed') }}
