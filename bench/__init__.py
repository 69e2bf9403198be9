"""The measurements: one module each, `measure()` gives its lines of the table."""
