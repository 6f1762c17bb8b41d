{{ migrated('product_view') }}
