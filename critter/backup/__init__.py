"""Backups, and the restores that only replace what is there when they are whole."""
