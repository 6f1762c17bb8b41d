{{ migrated('add_to_cart') }}
