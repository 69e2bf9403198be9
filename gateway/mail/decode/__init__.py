"""Decodes the octets of a mail into its parts and their text."""
