"""The result of reading a text, and how it is stored while a question about it is open."""
