"""Codes and PINs, wrong ones counted and locked, and numbers that may have passed to somebody else."""
