{{ migrated('sign_up') }}
