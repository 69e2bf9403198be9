"""One accepted text or mail becomes what it asks for, and one answer."""
