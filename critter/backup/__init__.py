"""Backups, and restores that replace a database only once the new one is complete."""
