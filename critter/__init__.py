"""The wiring: settings into parts, the command line, the supervisor; nothing imports it."""
