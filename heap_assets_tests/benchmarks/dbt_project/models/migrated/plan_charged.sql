{{ migrated('plan_charged') }}
