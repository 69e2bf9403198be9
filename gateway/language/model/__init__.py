"""What a reading of a text is, and how it is written down while a question is open."""
