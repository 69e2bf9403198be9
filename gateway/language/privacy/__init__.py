"""Recognises private texts, and computes the word runs by which private words are recognised again."""
