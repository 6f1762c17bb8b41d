{{ migrated('pageviews') }}
