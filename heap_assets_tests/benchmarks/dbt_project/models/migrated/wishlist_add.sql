{{ migrated('wishlist_add') }}
