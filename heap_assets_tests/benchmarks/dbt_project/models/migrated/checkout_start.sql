{{ migrated('checkout_start') }}
