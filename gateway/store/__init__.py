"""The database: its tables as Python sees them, and how to reach it. Layer 1; schema.sql is the truth."""
