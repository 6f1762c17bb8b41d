{{ migrated('sessions') }}
