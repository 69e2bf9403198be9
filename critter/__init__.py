"""Puts the parts together: settings, the command line, the supervisor. Nothing imports it."""
