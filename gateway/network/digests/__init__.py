"""Digests: one message made of what waited for its reader."""
