{{ migrated_users() }}
