"""Reads reports about mails that did not arrive, and their status codes."""
