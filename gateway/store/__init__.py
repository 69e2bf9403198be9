"""The database: its tables as Python sees them, and how to reach it. schema.sql is the truth."""
