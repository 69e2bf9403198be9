"""STOP, START and HELP, and requests to stop in people's own words."""
