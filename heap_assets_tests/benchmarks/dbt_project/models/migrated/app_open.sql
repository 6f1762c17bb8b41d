{{ migrated('app_open') }}
