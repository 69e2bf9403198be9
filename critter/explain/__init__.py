"""`critter explain`: how a text or a mail is read, and why."""
