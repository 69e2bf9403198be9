"""The periodic work of the clock: leases, retention, files that nobody needs."""
