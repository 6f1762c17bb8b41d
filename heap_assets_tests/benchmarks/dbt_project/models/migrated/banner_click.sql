{{ migrated('banner_click') }}
