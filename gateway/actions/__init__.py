"""What people can do, for every door: each action takes the session, an Actor and plain arguments, and returns data."""
