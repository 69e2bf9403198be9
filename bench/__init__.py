"""The measurements: one module each, whose `measure()` returns its lines of the table."""
