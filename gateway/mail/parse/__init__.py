"""Finds who wrote a mail, and what they wrote in it themselves."""
