"""Kannel: sending and delivery reports."""
