"""What the clock does again and again: leases, retention, files that nobody needs."""
