"""Words made alike before they are compared, durations, and slips in typing."""
