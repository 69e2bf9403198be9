"""From the octets of a mail to its parts and their text."""
