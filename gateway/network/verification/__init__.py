"""Codes and PINs, lockouts after wrong ones, and numbers that may have a new owner."""
