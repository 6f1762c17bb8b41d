{{ migrated('support_ticket') }}
