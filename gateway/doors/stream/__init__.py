"""The door that tells open pages that there is something new, by server-sent events. It sends ids and counts; a page
asks for the rest itself, with its own rights."""
