"""Normalises words before they are compared; reads durations; recognises typing errors."""
