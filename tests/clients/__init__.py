"""Clients that others made, unmodified, before a whole Critter: `make clients`. docs/clients.md says what was tried."""
