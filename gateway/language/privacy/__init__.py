"""What looks private, and the word runs by which private words are known again."""
