{{ migrated('product_search') }}
