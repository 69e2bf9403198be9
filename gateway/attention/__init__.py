"""When and where people are told what: quiet hours, slots of digests, time zones. Pure: no database, no sending."""
