{{ migrated('newsletter_click') }}
